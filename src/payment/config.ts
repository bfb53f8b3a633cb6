// The Payment service's settings.
import type { SettingsReader } from "../platform/config.ts";
import { readProviderBaseUrl } from "../platform/provider.ts";
import { readServiceSettings, type ServiceSettings } from "../platform/settings.ts";

export interface PaymentConfig extends ServiceSettings {
  readonly stripe: StripeSettings;
}

export interface StripeSettings {
  readonly secretKey: string;
  /** The current webhook secret and, while one is being replaced, the previous one. */
  readonly webhookSecrets: readonly string[];
  /** Where the sandbox of the providers listens; undefined is Stripe itself. */
  readonly baseUrl: string | undefined;
}

export function readPaymentConfig(read: SettingsReader): PaymentConfig {
  const secretKey = read.text("STRIPE_SECRET_KEY", "Stripe's secret key, sk_test_… or sk_live_…");
  const config = {
    ...readServiceSettings("payment", read),
    stripe: {
      secretKey,
      webhookSecrets: read.list(
        "STRIPE_WEBHOOK_SECRETS",
        "the webhook endpoint's secret, whsec_…, and after a comma the previous one",
      ),
      baseUrl: readProviderBaseUrl(read, "STRIPE_BASE_URL", secretKey.startsWith("sk_test_")),
    },
  };
  read.done();
  return config;
}

// The Payment service's settings.
import type { SettingsReader } from "../platform/config.ts";
import { readProviderBaseUrl } from "../platform/provider.ts";
import { readServiceSettings, type ServiceSettings } from "../platform/settings.ts";
import { FIRST_CHECK_MS } from "./schedule.ts";

export interface PaymentConfig extends ServiceSettings {
  readonly stripe: StripeSettings;
  readonly limits: AttemptLimits;
  readonly pace: Pace;
}

export interface StripeSettings {
  readonly secretKey: string;
  /** The current webhook secret and, while one is being replaced, the previous one. */
  readonly webhookSecrets: readonly string[];
  /** Where the sandbox of the providers listens; undefined is Stripe itself. */
  readonly baseUrl: string | undefined;
  /** How long one try of one call may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** How many refused attempts are let through in an hour: more of them is somebody who tests stolen cards. */
export interface AttemptLimits {
  readonly refusedPerOrder: number;
  readonly refusedPerCustomer: number;
}

/** How patiently Stripe is asked, in milliseconds. */
export interface Pace {
  /** How long after the last call nothing must be found for it to be proven that nothing was made. */
  readonly absenceProofMs: number;
  /** Until a PaymentIntent that waits is looked at for the first time; the later waits grow with it. */
  readonly firstCheckMs: number;
  /** How long a call, or a look, has before a worker takes it up again: twice at once is harmless. */
  readonly leaseMs: number;
  /** Between two looks for webhooks that Stripe could not deliver. */
  readonly missedEventsMs: number;
}

const DAY_MS = 86_400_000;

export function readPaymentConfig(read: SettingsReader): PaymentConfig {
  const config = {
    ...readServiceSettings("payment", read),
    stripe: readStripeSettings(read),
    limits: {
      refusedPerOrder: read.integer("REFUSED_ATTEMPTS_PER_ORDER_PER_HOUR", {
        min: 1,
        max: 1000,
        fallback: 10,
      }),
      refusedPerCustomer: read.integer("REFUSED_ATTEMPTS_PER_CUSTOMER_PER_HOUR", {
        min: 1,
        max: 1000,
        fallback: 20,
      }),
    },
    pace: {
      absenceProofMs: milliseconds(read, "STRIPE_ABSENCE_PROOF_MS", 30_000),
      firstCheckMs: milliseconds(read, "STRIPE_FIRST_CHECK_MS", FIRST_CHECK_MS),
      leaseMs: milliseconds(read, "STRIPE_LEASE_MS", 10_000),
      missedEventsMs: milliseconds(read, "STRIPE_MISSED_EVENTS_MS", 300_000),
    },
  };
  read.done();
  return config;
}

function readStripeSettings(read: SettingsReader): StripeSettings {
  const secretKey = read.text("STRIPE_SECRET_KEY", "Stripe's secret key, sk_test_… or sk_live_…");
  return {
    secretKey,
    webhookSecrets: read.list(
      "STRIPE_WEBHOOK_SECRETS",
      "the webhook endpoint's secret, whsec_…, and after a comma the previous one",
    ),
    baseUrl: readProviderBaseUrl(read, "STRIPE_BASE_URL", /^[rs]k_test_/.test(secretKey)),
    timeoutMs: read.integer("STRIPE_TIMEOUT_MS", { min: 100, max: 60_000, fallback: 8000 }),
  };
}

const milliseconds = (read: SettingsReader, name: string, fallback: number): number =>
  read.integer(name, { min: 10, max: DAY_MS, fallback });

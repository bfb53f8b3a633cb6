// The Order service's settings.
import { readServiceSettings, type ServiceSettings } from "../platform/settings.ts";
import type { SettingsReader } from "../platform/config.ts";

export interface OrderConfig extends ServiceSettings {
  /** Where the Payment service answers gRPC. */
  readonly paymentUrl: string;
}

export function readOrderConfig(read: SettingsReader): OrderConfig {
  const config = {
    ...readServiceSettings("order", read),
    paymentUrl: read.text("PAYMENT_URL", "the URL of the Payment service, http://host:port"),
  };
  read.done();
  return config;
}

// The Order service's settings.
import { readServiceSettings, type ServiceSettings } from "../platform/settings.ts";
import type { SettingsReader } from "../platform/config.ts";

export interface OrderConfig extends ServiceSettings {
  /** Where the Payment service answers gRPC. */
  readonly paymentUrl: string;
  /** How long an order may stay unpaid, in milliseconds. */
  readonly expireAfterMs: number;
}

/** A day, unless told otherwise; a minute at the least would still let a slow bank answer, tests want less. */
const EXPIRE_AFTER_S = { min: 1, max: 2_592_000, fallback: 86_400 };

export function readOrderConfig(read: SettingsReader): OrderConfig {
  const config = {
    ...readServiceSettings("order", read),
    paymentUrl: read.text("PAYMENT_URL", "the URL of the Payment service, http://host:port"),
    expireAfterMs: read.integer("ORDER_EXPIRE_AFTER_S", EXPIRE_AFTER_S) * 1000,
  };
  read.done();
  return config;
}

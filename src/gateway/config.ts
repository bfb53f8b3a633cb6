// The gateway's settings.
import type { SettingsReader } from "../platform/config.ts";
import {
  readIdentitySettings,
  readListenSettings,
  type IdentitySettings,
  type ListenSettings,
} from "../platform/settings.ts";

export interface GatewayConfig extends ListenSettings {
  readonly service: "gateway";
  readonly orderUrl: string;
  readonly paymentUrl: string;
  readonly notificationUrl: string;
  readonly identity: IdentitySettings;
  /** Requests a second that one customer, operator or service may make. */
  readonly rateLimitPerPrincipal: number;
  /** Requests a second that may come from one address. */
  readonly rateLimitPerAddress: number;
  /** The largest body of a request, in bytes. */
  readonly bodyLimitBytes: number;
  /** Origins whose pages may call from a browser; none unless named. */
  readonly corsOrigins: readonly string[];
  /** The proxies in front whose X-Forwarded-For is believed, as addresses or networks; none unless named. */
  readonly trustedProxies: readonly string[];
}

const MAX_RATE = 1_000_000;

export function readGatewayConfig(read: SettingsReader): GatewayConfig {
  const url = (name: string, service: string) =>
    read.text(name, `the URL of the ${service} service, http://host:port`);
  const config = {
    service: "gateway" as const,
    ...readListenSettings(read),
    orderUrl: url("ORDER_URL", "Order"),
    paymentUrl: url("PAYMENT_URL", "Payment"),
    notificationUrl: url("NOTIFICATION_URL", "Notification"),
    identity: readIdentitySettings(read),
    rateLimitPerPrincipal: read.integer("RATE_LIMIT_PER_PRINCIPAL", {
      min: 1,
      max: MAX_RATE,
      fallback: 1000,
    }),
    rateLimitPerAddress: read.integer("RATE_LIMIT_PER_ADDRESS", {
      min: 1,
      max: MAX_RATE,
      fallback: 2000,
    }),
    bodyLimitBytes: read.integer("BODY_LIMIT_BYTES", {
      min: 1024,
      max: 64 * 1024 * 1024,
      fallback: 1024 * 1024,
    }),
    corsOrigins: read.list("CORS_ORIGINS", "origins", ","),
    trustedProxies: read.list("TRUSTED_PROXIES", "addresses", ","),
  };
  read.done();
  return config;
}

// The settings that every service has, the gateway in part.
import type { SettingsReader } from "./config.ts";

/** Who is believed: the keys and names that tokens are checked against. */
export interface IdentitySettings {
  /** A JWKS of the identity provider, as a file's path or a URL. */
  readonly userKeys: string;
  readonly userIssuer: string;
  readonly userAudience: string;
  /** A JWKS of the Waybill services, as a file's path or a URL. */
  readonly serviceKeys: string;
}

export interface ListenSettings {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly logLevel: string;
}

export interface ServiceSettings extends ListenSettings {
  readonly service: string;
  /** Prefixes topics, groups and locks, so that several stacks can share a broker. */
  readonly namespace: string;
  readonly databaseUrl: string;
  readonly databasePoolSize: number;
  readonly kafkaBrokers: readonly string[];
  readonly kafkaReplication: number;
  readonly kafkaMinInsyncReplicas: number;
  /** How long it is remembered which events were taken; undefined: as long as the topics' retention demands. */
  readonly inboxRetentionHours: number | undefined;
  readonly identity: IdentitySettings;
  /** The path of the private JWK with which this service signs its own tokens. */
  readonly servicePrivateKey: string;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const readListenSettings = (read: SettingsReader): ListenSettings => ({
  host: read.text("HOST", "the address to listen on", "127.0.0.1"),
  port: read.integer("PORT", { min: 0, max: 65_535, fallback: 0 }),
  logLevel: read.choice("LOG_LEVEL", LOG_LEVELS, "info"),
});

export const readIdentitySettings = (read: SettingsReader): IdentitySettings => ({
  userKeys: read.text("WAYBILL_JWKS", "the JWKS of your identity provider, a file's path or a URL"),
  userIssuer: read.text(
    "WAYBILL_JWT_ISSUER",
    "the iss that your identity provider writes into its tokens",
  ),
  userAudience: read.text("WAYBILL_JWT_AUDIENCE", "the aud that tokens for Waybill carry"),
  serviceKeys: read.text(
    "WAYBILL_SERVICE_JWKS",
    "the JWKS with the public keys of the Waybill services",
  ),
});

export function readServiceSettings(service: string, read: SettingsReader): ServiceSettings {
  const namespace = read.text("WAYBILL_NAMESPACE", "a prefix", " ").trim();
  if (!/^[a-z0-9_]{0,20}$/.test(namespace)) {
    read.problem(`WAYBILL_NAMESPACE is "${namespace}": it may hold up to 20 of a-z, 0-9 and _.`);
  }
  return {
    service,
    namespace,
    ...readListenSettings(read),
    databaseUrl: read.text(
      "DATABASE_URL",
      `the URL of this service's own database, postgres://…/waybill_${service}`,
    ),
    databasePoolSize: read.integer("DATABASE_POOL_SIZE", { min: 2, max: 100, fallback: 10 }),
    kafkaBrokers: read.list("KAFKA_BROKERS", "the brokers, host:port, separated by commas"),
    kafkaReplication: read.integer("KAFKA_REPLICATION", { min: 1, max: 10, fallback: 1 }),
    kafkaMinInsyncReplicas: read.integer("KAFKA_MIN_INSYNC_REPLICAS", {
      min: 1,
      max: 10,
      fallback: 1,
    }),
    inboxRetentionHours: read.optionalInteger("INBOX_RETENTION_HOURS", { min: 1, max: 87_600 }),
    identity: readIdentitySettings(read),
    servicePrivateKey: read.text("WAYBILL_SERVICE_KEY", "the path of this service's private JWK"),
  };
}

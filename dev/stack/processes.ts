// What the processes of a stack are told by their environment, and where they listen.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Store } from "../backends/databases.ts";
import { type ChildOptions, plainEnvironment } from "../process/child.ts";
import type { Home } from "./home.ts";
import { AUDIENCE, ISSUER, type Keys } from "./keys.ts";
import { SERVICES, type ServiceName } from "./stack-file.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HOST = "127.0.0.1";

export const PROCESSES = [...SERVICES, "sandbox"] as const;
/** A service, or the sandbox of the providers. */
export type ProcessName = (typeof PROCESSES)[number];

type Environment = Readonly<Record<string, string>>;

export interface Surroundings {
  readonly home: Home;
  readonly keys: Keys;
  readonly namespace: string;
  readonly databases: Readonly<Record<Store, string>>;
  readonly brokers: readonly string[];
  readonly ports: Readonly<Record<ProcessName, number>>;
  /** Settings on top of ours, per process or for `all` of them. */
  readonly env: Readonly<Partial<Record<ProcessName | "all", Environment>>>;
}

export function urlOf(port: number): string {
  return `http://${HOST}:${port}`;
}

/** How a process is started. */
export function processOptions(name: ProcessName, around: Surroundings): ChildOptions {
  const script = name === "sandbox" ? "dev/sandbox/main.ts" : `src/${name}/main.ts`;
  return {
    name,
    command: process.execPath,
    args: [script],
    cwd: ROOT,
    env: {
      ...plainEnvironment(),
      ...tuning(),
      ...(name === "sandbox" ? sandboxSettings(around) : serviceSettings(name, around)),
      ...around.env.all,
      ...around.env[name],
    },
    logFile: join(around.home.logs, `${name}.log`),
    pidFile: join(around.home.run, name),
    rank: PROCESSES.indexOf(name),
  };
}

/** The providers that are not named by real keys, so that the sandbox stands in for them. */
export function needsSandbox(): boolean {
  return PROVIDER_KEYS.some((key) => !given(key));
}

const PROVIDER_KEYS = ["STRIPE_SECRET_KEY", "RESEND_API_KEY", "TWILIO_AUTH_TOKEN"] as const;

function serviceSettings(name: ServiceName, around: Surroundings): Environment {
  const { keys, ports } = around;
  const shared = {
    HOST,
    PORT: String(ports[name]),
    LOG_LEVEL: given("LOG_LEVEL") ?? "info",
    WAYBILL_NAMESPACE: around.namespace,
    WAYBILL_JWKS: keys.users,
    WAYBILL_JWT_ISSUER: ISSUER,
    WAYBILL_JWT_AUDIENCE: AUDIENCE,
    WAYBILL_SERVICE_JWKS: keys.services,
  };
  if (name === "gateway") {
    const { order, payment, notification } = ports;
    const upstream = {
      ORDER_URL: urlOf(order),
      PAYMENT_URL: urlOf(payment),
      NOTIFICATION_URL: urlOf(notification),
    };
    return { ...shared, ...upstream };
  }
  return {
    ...shared,
    DATABASE_URL: around.databases[name],
    KAFKA_BROKERS: around.brokers.join(","),
    WAYBILL_SERVICE_KEY: keys.serviceKey(name),
    ...ownSettings(name, around),
  };
}

function ownSettings(name: Exclude<ServiceName, "gateway">, around: Surroundings): Environment {
  const sandbox = urlOf(around.ports.sandbox);
  switch (name) {
    case "order":
      return { PAYMENT_URL: urlOf(around.ports.payment) };
    case "payment":
      return (
        real(["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"]) ?? {
          STRIPE_SECRET_KEY: "sk_test_sandbox",
          STRIPE_WEBHOOK_SECRETS: around.keys.webhookSecret,
          STRIPE_BASE_URL: sandbox,
        }
      );
    case "notification":
      return { ...mailSettings(sandbox), ...smsSettings(sandbox) };
  }
}

function mailSettings(sandbox: string): Environment {
  return (
    real(["RESEND_API_KEY", "MAIL_FROM"]) ?? {
      RESEND_API_KEY: "re_test_sandbox",
      RESEND_BASE_URL: sandbox,
      MAIL_FROM: "Waybill <orders@waybill.example>",
    }
  );
}

function smsSettings(sandbox: string): Environment {
  return (
    real(["TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "SMS_FROM"]) ?? {
      TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`,
      TWILIO_AUTH_TOKEN: "test_sandbox",
      TWILIO_BASE_URL: sandbox,
      SMS_FROM: "+15005550006",
    }
  );
}

function sandboxSettings(around: Surroundings): Environment {
  return {
    SANDBOX_PORT: String(around.ports.sandbox),
    SANDBOX_DATA: around.home.sandbox,
    SANDBOX_WEBHOOK_URL: `${urlOf(around.ports.gateway)}/webhooks/stripe`,
    SANDBOX_WEBHOOK_SECRET: around.keys.webhookSecret,
  };
}

/** The real provider's settings when its key, the first of them, is in our environment. */
function real(names: readonly [string, ...string[]]): Environment | undefined {
  if (given(names[0]) === undefined) return undefined;
  const found = names.map((name) => [name, given(name)] as const);
  return Object.fromEntries(
    found.filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** Settings of the deployment that are handed on as they are when they are set. */
const TUNING = [
  "DATABASE_POOL_SIZE",
  "KAFKA_REPLICATION",
  "KAFKA_MIN_INSYNC_REPLICAS",
  "RATE_LIMIT_PER_PRINCIPAL",
  "RATE_LIMIT_PER_ADDRESS",
  "NODE_OPTIONS",
];

function tuning(): Environment {
  const found = TUNING.map((name) => [name, given(name)] as const);
  return Object.fromEntries(
    found.filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

function given(name: string): string | undefined {
  return process.env[name] || undefined;
}

// The Payment service alone, in this process: with a database and a sandbox of its own, and settings that a test chooses.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Client } from "@connectrpc/connect";
import postgres from "postgres";
import { createDatabase, dropDatabase } from "../../dev/backends/databases.ts";
import { freePort } from "../../dev/process/ports.ts";
import { openFolder } from "../../dev/sandbox/with-sandbox.ts";
import { startSandbox } from "../../dev/sandbox/sandbox.ts";
import { AUDIENCE, ISSUER, type Keys, openKeys } from "../../dev/stack/keys.ts";
import { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { readPaymentConfig } from "../../src/payment/config.ts";
import { startPayment } from "../../src/payment/service.ts";
import { createTokenMinter } from "../../src/platform/access/minter.ts";
import { SettingsReader } from "../../src/platform/config.ts";
import { createLog } from "../../src/platform/log.ts";
import { connectTo } from "../../src/platform/rpc/client.ts";
import type { RunningService } from "../../src/platform/run.ts";
import type { Servers } from "./place.ts";

type PaymentClient = Client<typeof PaymentService>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface PaymentRoom extends AsyncDisposable {
  readonly url: string;
  readonly keys: Keys;
  readonly sandboxUrl: string;
  /** What the service is told by its environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** The Order service's client, which acts for itself, and an operator's. */
  readonly asOrder: PaymentClient;
  readonly asOperator: PaymentClient;
  /** What was logged so far. */
  readonly lines: readonly LogLine[];
  readonly query: <Row extends object>(
    text: string,
    values?: readonly (string | number)[],
  ) => Promise<Row[]>;
  /** Stops the service as a deployment does; what is left half-done is the next one's. */
  stop(): Promise<void>;
  /** Starts it, with settings on top of those that it had. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
}

/** Waits are short, so that what takes minutes takes moments. */
const PATIENCE = {
  STRIPE_TIMEOUT_MS: "700",
  STRIPE_ABSENCE_PROOF_MS: "1000",
  STRIPE_FIRST_CHECK_MS: "3600000",
  STRIPE_MISSED_EVENTS_MS: "3600000",
};

/** The outbox forgets what was sent, so what was committed to it is kept beside it. */
const KEEP_PUBLISHED = `
  create table published as select * from outbox with no data;
  create function keep_published() returns trigger language plpgsql as
    $$ begin insert into published select new.*; return new; end $$;
  create trigger keep_published after insert on outbox
    for each row execute function keep_published()`;

export async function openPaymentRoom(
  servers: Servers,
  env: Readonly<Record<string, string>> = {},
  stripeUrl?: (sandbox: string) => Promise<string>,
): Promise<PaymentRoom> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await openFolder());
  const keys = await openKeys(folder.path);
  const namespace = `t_${randomBytes(5).toString("hex")}`;
  const { databaseUrl, sql } = parts.use(await openDatabase(servers, namespace));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const webhook = { url: `${url}/webhooks/stripe`, secret: keys.webhookSecret };
  const sandbox = parts.use(
    await startSandbox({ host: "127.0.0.1", port: 0, dataDir: join(folder.path, "s"), webhook }),
  );
  const lines: LogLine[] = [];
  const log = createLog("payment", "info", {
    write: (line: string) => void lines.push(JSON.parse(line) as LogLine),
  });
  const settings = {
    ...settingsOf({ keys, namespace, databaseUrl, brokers: servers.brokers }),
    PORT: String(port),
    STRIPE_BASE_URL: stripeUrl === undefined ? sandbox.url : await stripeUrl(sandbox.url),
    ...env,
  };
  let service: RunningService | undefined;
  const stop = async (): Promise<void> => {
    await service?.[Symbol.asyncDispose]();
    service = undefined;
  };
  const start: PaymentRoom["start"] = async (more = {}) => {
    service = await startPayment(
      readPaymentConfig(new SettingsReader({ ...settings, ...more })),
      log,
    );
  };
  parts.defer(stop);
  await start();
  await sql.unsafe(KEEP_PUBLISHED);
  const minter = await createTokenMinter({
    service: "order",
    privateKey: keys.serviceKey("order"),
  });
  const address = { url, audience: "payment", timeoutMs: 15_000 };
  const running = parts.move();
  return {
    url,
    keys,
    sandboxUrl: sandbox.url,
    settings,
    asOrder: connectTo(PaymentService, { ...address, minter }),
    asOperator: withToken(connectTo(PaymentService, address), keys.tokens.operator),
    lines,
    query: async (text, values = []) => [...(await sql.unsafe(text, [...values]))] as never,
    stop,
    start,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The client with the token in every call. */
function withToken(client: PaymentClient, token: string): PaymentClient {
  const headers = { authorization: `Bearer ${token}` };
  return new Proxy(client, {
    get: (target, name: keyof PaymentClient) => (request: never, options: object) =>
      target[name](request, { ...options, headers }),
  });
}

/** A database for one service, with a client of ours; both are gone when it is disposed. */
async function openDatabase(servers: Servers, namespace: string) {
  const name = `${namespace}_waybill_payment`;
  const databaseUrl = await createDatabase(servers.postgresUrl, name);
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  return {
    databaseUrl,
    sql,
    [Symbol.asyncDispose]: async () => {
      await sql.end();
      await dropDatabase(servers.postgresUrl, name);
    },
  };
}

const settingsOf = (o: {
  readonly keys: Keys;
  readonly namespace: string;
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
}): Readonly<Record<string, string>> => ({
  ...PATIENCE,
  WAYBILL_NAMESPACE: o.namespace,
  WAYBILL_JWKS: o.keys.users,
  WAYBILL_JWT_ISSUER: ISSUER,
  WAYBILL_JWT_AUDIENCE: AUDIENCE,
  WAYBILL_SERVICE_JWKS: o.keys.services,
  WAYBILL_SERVICE_KEY: o.keys.serviceKey("payment"),
  DATABASE_URL: o.databaseUrl,
  KAFKA_BROKERS: o.brokers.join(","),
  STRIPE_SECRET_KEY: "sk_test_sandbox",
  STRIPE_WEBHOOK_SECRETS: o.keys.webhookSecret,
});

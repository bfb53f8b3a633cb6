// The Payment service alone, in this process: with a database and a sandbox of its own, and settings that a test chooses.
import { randomBytes, randomUUID } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type Client, createContextValues } from "@connectrpc/connect";
import postgres from "postgres";
import { createDatabase, dropDatabase } from "../../dev/backends/databases.ts";
import { freePort } from "../../dev/process/ports.ts";
import { openFolder } from "../../dev/sandbox/with-sandbox.ts";
import { startSandbox } from "../../dev/sandbox/sandbox.ts";
import { AUDIENCE, ISSUER, type Keys, openKeys } from "../../dev/stack/keys.ts";
import { PaymentStatus, type Payment } from "../../gen/waybill/payment/v1/payment_pb.js";
import { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentStatusEvent,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { readPaymentConfig } from "../../src/payment/config.ts";
import { startPayment } from "../../src/payment/service.ts";
import { createTokenMinter } from "../../src/platform/access/minter.ts";
import { SettingsReader } from "../../src/platform/config.ts";
import { createLog } from "../../src/platform/log.ts";
import { connectTo, onBehalfOfKey } from "../../src/platform/rpc/client.ts";
import type { RunningService } from "../../src/platform/run.ts";
import { eventually } from "./eventually.ts";
import { ask } from "./http.ts";
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
  chmodSync(folder.path, 0o755);
  const keys = await openKeys(folder.path);
  const namespace = `t_${randomBytes(5).toString("hex")}`;
  const database = `${namespace}_waybill_payment`;
  const databaseUrl = await createDatabase(servers.postgresUrl, database);
  parts.defer(() => dropDatabase(servers.postgresUrl, database));
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  parts.defer(() => sql.end());
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
    ...PATIENCE,
    PORT: String(port),
    WAYBILL_NAMESPACE: namespace,
    WAYBILL_JWKS: keys.users,
    WAYBILL_JWT_ISSUER: ISSUER,
    WAYBILL_JWT_AUDIENCE: AUDIENCE,
    WAYBILL_SERVICE_JWKS: keys.services,
    WAYBILL_SERVICE_KEY: keys.serviceKey("payment"),
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: servers.brokers.join(","),
    STRIPE_SECRET_KEY: "sk_test_sandbox",
    STRIPE_WEBHOOK_SECRETS: keys.webhookSecret,
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

/** What an order asks for: one that no other test knows. */
export const anAttempt = (fields: Readonly<Record<string, unknown>> = {}) => ({
  orderId: randomUUID(),
  customerId: `customer-${randomBytes(6).toString("hex")}`,
  attemptNumber: 1,
  amount: { currencyCode: "EUR", minorUnits: 1999n },
  paymentMethod: "pm_card_visa",
  ...fields,
});

/** In the name of the customer, who then gets the secret. */
export const onBehalfOf = (customerId: string) => ({
  contextValues: createContextValues().set(onBehalfOfKey, customerId),
});

/** @throws where the answer has none */
export function paymentOf({ payment }: { readonly payment?: Payment | undefined }): Payment {
  if (payment === undefined) throw new Error("the answer has no payment");
  return payment;
}

export const checkPayment = async (room: PaymentRoom, orderId: string): Promise<Payment> =>
  paymentOf(await room.asOperator.checkPaymentStatus({ orderId }));

/** Waits until the order's payment has the status. */
export const paymentBecomes = (
  room: PaymentRoom,
  orderId: string,
  status: keyof typeof PaymentStatus,
): Promise<Payment> =>
  eventually(async () => {
    const payment = await checkPayment(room, orderId);
    if (PaymentStatus[payment.status] !== status)
      throw new Error(`the payment is ${PaymentStatus[payment.status]}, not ${status}`);
    return payment;
  });

/** Asks the sandbox itself; see dev/sandbox/README.md. @throws unless it does it */
export async function atSandbox<T>(room: PaymentRoom, path: string, body?: unknown): Promise<T> {
  const answer = await ask(`${room.sandboxUrl}/_/${path}`, { body });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json as T;
}

/** A fault of the sandbox's Stripe that strikes only what belongs to the order. */
export const faultOf = (
  room: PaymentRoom,
  orderId: string,
  fault: Readonly<Record<string, unknown>>,
): Promise<unknown> =>
  atSandbox(room, "faults", { provider: "stripe", metadata: { order_id: orderId }, ...fault });

export interface LedgerEntry {
  readonly id: string;
  readonly status: string;
  readonly charges: number;
  readonly charged: number;
  readonly refunded: number;
  readonly net: number;
  readonly refunds: readonly { readonly id: string; readonly status: string }[];
  readonly disputes: readonly { readonly id: string; readonly status: string }[];
}

/** What the sandbox's Stripe has of the order. */
export async function ledgerOf(
  room: PaymentRoom,
  orderId: string,
): Promise<readonly LedgerEntry[]> {
  const path = `payments?order_id=${orderId}`;
  return (await atSandbox<{ payments: LedgerEntry[] }>(room, path)).payments;
}

/** The Stripe events of a PaymentIntent, and what became of them in the inbox. */
export const inboxOf = (room: PaymentRoom, paymentIntentId: string) =>
  room.query<{ id: string; type: string; status: string; reason: string }>(
    "select id, type, status, reason from stripe_events where payment_intent_id = $1",
    [paymentIntentId],
  );

/** What was published of the order's payment on payment-status-updates, in order. */
export async function publishedOf(
  room: PaymentRoom,
  orderId: string,
): Promise<readonly PaymentStatusEvent["event"][]> {
  const rows = await room.query<{ payload: Uint8Array }>(
    "select payload from published where aggregate_id = $1 and topic like '%status%' order by seq",
    [orderId],
  );
  return rows.map(({ payload }) => fromBinary(PaymentStatusEventSchema, payload).event);
}

/** The alarms: what operators are told. */
export const alarmsOf = (room: PaymentRoom, paymentId: string): readonly LogLine[] =>
  room.lines.filter((line) => line.level === "error" && line["paymentId"] === paymentId);

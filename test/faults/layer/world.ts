// A small world for the event layer alone: a database, a topic, processes, and what is known of them from outside.
import { join } from "node:path";
import postgres from "postgres";
import { OrderEventSchema } from "../../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatusEventSchema } from "../../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { createDatabase, dropDatabase } from "../../../dev/backends/databases.ts";
import { clientOf } from "../../../dev/backends/kafka-ready.ts";
import { migrateDatabase } from "../../../src/platform/database/migrate.ts";
import { createKafka } from "../../../src/platform/events/kafka.ts";
import { streamOf, type StreamTopic } from "../../../src/platform/events/stream.ts";
import { newNamespace, openFolder } from "../../harness/stack.ts";
import type { Task } from "./orders.ts";

const MIGRATIONS = new URL("../../../migrations/notification/", import.meta.url);

/** Real servers, shared with whoever else is there. */
export interface LayerServers {
  readonly postgresUrl: string;
  readonly brokers: readonly string[];
}

export interface World extends AsyncDisposable, LayerServers {
  readonly sql: postgres.Sql;
  readonly databaseUrl: string;
  readonly namespace: string;
  readonly topic: string;
  readonly folder: string;
  /** Where planted code reports. */
  readonly report: string;
  /** What a process is to do in this world. */
  task(orders: Pick<Task, "members" | "seed"> & Partial<Task>): Task;
}

export async function openWorld(servers: LayerServers): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(openFolder()).path;
  const namespace = newNamespace();
  const stream = streamOf(OrderEventSchema, namespace);
  const name = `${namespace}_layer`;
  parts.defer(() => dropDatabase(servers.postgresUrl, name));
  const databaseUrl = await createDatabase(servers.postgresUrl, name);
  await migrateDatabase({ url: databaseUrl, folder: MIGRATIONS });
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  parts.defer(() => sql.end({ timeout: 1 }));
  await makeTables(sql);
  parts.defer(() => forgetTopics(servers.brokers, namespace));
  await makeTopics(servers.brokers, [stream, streamOf(PaymentStatusEventSchema, namespace)]);
  const running = parts.move();
  return {
    ...servers,
    sql,
    databaseUrl,
    namespace,
    topic: stream.topic,
    report: join(folder, "report"),
    folder,
    task: (orders) => ({ variant: "", ...orders, ...servers, databaseUrl, namespace }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** No key refuses a second effect: whatever keeps it single is the event layer's doing. */
async function makeTables(sql: postgres.Sql): Promise<void> {
  await sql`CREATE TABLE happened (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL, nonce text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp())`;
  await sql`CREATE TABLE effect (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, consumer text NOT NULL, event_id uuid NOT NULL,
    key text NOT NULL, seq bigint NOT NULL, nonce text NOT NULL, echo bytea, at timestamptz NOT NULL DEFAULT clock_timestamp())`;
}

async function makeTopics(
  brokers: readonly string[],
  streams: readonly StreamTopic[],
): Promise<void> {
  const nobody = () => undefined;
  const log = { info: nobody, warn: nobody, error: nobody };
  await using kafka = createKafka({ brokers, clientId: "waybill-faults", log });
  await kafka.ensureTopics(streams, { replication: 1, minInsyncReplicas: 1 });
}

async function forgetTopics(brokers: readonly string[], namespace: string): Promise<void> {
  const admin = clientOf(brokers).admin();
  await admin.connect();
  try {
    const isOurs = (name: string) => name.startsWith(`${namespace}.`);
    const topics = (await admin.listTopics()).filter(isOurs);
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}

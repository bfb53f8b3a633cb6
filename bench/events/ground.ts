// Where one part of the benchmark runs: a database of its own with the event layer's tables, and topics of its own.
import postgres from "postgres";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { createDatabase, databaseName, dropDatabase } from "../../dev/backends/databases.ts";
import { migrateDatabase } from "../../src/platform/database/migrate.ts";
import { type Database, openDatabase } from "../../src/platform/database/open.ts";
import { createKafka, type Kafka } from "../../src/platform/events/kafka.ts";
import { createOutbox, type Outbox } from "../../src/platform/events/outbox.ts";
import { streamOf } from "../../src/platform/events/stream.ts";
import { newId } from "../../src/platform/id.ts";
import type { Place } from "../place.ts";
import { benchLog } from "./log.ts";

const MIGRATIONS = new URL("../../migrations/order/", import.meta.url);
/** As a service has it. */
const POOL_SIZE = 10;

/** What another process needs to work on the same ground. */
export interface GroundAddress {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly namespace: string;
}

export interface OpenGround extends AsyncDisposable {
  readonly address: GroundAddress;
  readonly db: Database;
  /** For what the benchmark itself asks: it is not of the pool that is measured. */
  readonly sql: postgres.Sql;
  readonly kafka: Kafka;
  readonly outbox: Outbox;
  /** The topic of OrderEvent. */
  readonly topic: string;
}

/** Makes database and topics; disposing drops the database. `name`: of the part, [a-z_]. */
export async function makeGround(place: Place, name: string): Promise<OpenGround> {
  const database = `${databaseName("order", place.namespace)}_${name}`;
  await using parts = new AsyncDisposableStack();
  const databaseUrl = await createDatabase(place.postgres.url, database);
  parts.defer(() => dropDatabase(place.postgres.url, database));
  await migrateDatabase({ url: databaseUrl, folder: MIGRATIONS });
  const { brokers } = place.kafka;
  const namespace = `${place.namespace}.${name}`;
  const ground = parts.use(openGround({ databaseUrl, brokers, namespace }));
  const streams = [streamOf(OrderEventSchema, namespace)];
  await ground.kafka.ensureTopics(streams, { replication: 1, minInsyncReplicas: 1 });
  const running = parts.move();
  return { ...ground, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Of a ground that is there already. */
export function openGround(address: GroundAddress): OpenGround {
  const { databaseUrl, brokers, namespace } = address;
  const database = openDatabase({ databaseUrl, databasePoolSize: POOL_SIZE, service: "bench" });
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  const kafka = createKafka({ brokers, clientId: "waybill-bench", log: benchLog });
  return {
    address,
    db: database.db,
    sql,
    kafka,
    outbox: createOutbox({ source: "/waybill/bench", namespace, traceparent, newId }),
    topic: streamOf(OrderEventSchema, namespace).topic,
    [Symbol.asyncDispose]: async () => {
      await kafka[Symbol.asyncDispose]();
      await sql.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Every event belongs to some trace, as in a service. */
const traceparent = (): string => `00-${"a1".repeat(16)}-${"b2".repeat(8)}-01`;

// A small world for the event layer alone: a database, a topic, processes, and what is known of them from outside.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { OrderEventSchema } from "../../../gen/waybill/order/v1/order_event_pb.js";
import { createDatabase, dropDatabase } from "../../../dev/backends/databases.ts";
import { clientOf } from "../../../dev/backends/kafka-ready.ts";
import { plainEnvironment, startChild, type Child } from "../../../dev/process/child.ts";
import { migrateDatabase } from "../../../src/platform/database/migrate.ts";
import { createKafka } from "../../../src/platform/events/kafka.ts";
import { streamOf } from "../../../src/platform/events/stream.ts";
import { newNamespace, openFolder } from "../../harness/stack.ts";
import { ELSEWHERE_SETTING } from "../plant/elsewhere.ts";
import { planted, type PlantOrders } from "../plant/orders.ts";
import type { LayerOrders } from "./orders.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MIGRATIONS = new URL("../../../migrations/notification/", import.meta.url);
/** After all that it uses is asked to stop. */
const RANK = 1;
const STOP_WITHIN_MS = 15_000;

/** Real servers, shared with whoever else is there. */
export interface LayerServers {
  readonly postgresUrl: string;
  readonly brokers: readonly string[];
}

export type ProcessOrders = Omit<LayerOrders, "databaseUrl" | "brokers" | "namespace">;

export interface World extends AsyncDisposable {
  readonly sql: postgres.Sql;
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly namespace: string;
  readonly topic: string;
  /** What planted code reports, and the logs of the processes. */
  readonly folder: string;
  readonly report: string;
  /** Starts a process, with plants or as it is. It is stopped with the world. */
  start(name: string, orders: ProcessOrders, plants?: Omit<PlantOrders, "report">): Promise<Child>;
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
  const sql = postgres(databaseUrl, { max: 3, onnotice: () => undefined });
  parts.defer(() => sql.end({ timeout: 1 }));
  await makeTables(sql);
  parts.defer(() => forgetTopics(servers.brokers, namespace));
  await makeTopic(servers.brokers, stream);
  const report = join(folder, "report");
  const running = parts.move();
  const start: World["start"] = async (child, orders, plants) => {
    const all: LayerOrders = { ...servers, databaseUrl, namespace, ...orders };
    const started = await startChild({
      name: child,
      command: process.execPath,
      args: ["test/faults/layer/main.ts", JSON.stringify(all)],
      cwd: ROOT,
      env: {
        ...plainEnvironment(),
        NODE_COMPILE_CACHE: COMPILED,
        [ELSEWHERE_SETTING]: databaseUrl,
        ...(plants && planted({ ...plants, report })),
      },
      logFile: join(folder, `${child}.log`),
      pidFile: join(folder, `${child}.pid`),
      rank: RANK,
    });
    running.defer(async () => void (await started.stop(STOP_WITHIN_MS)));
    return started;
  };
  return {
    sql,
    databaseUrl,
    brokers: servers.brokers,
    namespace,
    topic: stream.topic,
    folder,
    report,
    start,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Starting is most of what a short-lived process does. */
const COMPILED = join(ROOT, "node_modules", ".cache", "waybill-faults");

/** No key refuses a second effect: whatever keeps it single is the event layer's doing. */
async function makeTables(sql: postgres.Sql): Promise<void> {
  await sql`CREATE TABLE happened (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL, nonce text NOT NULL)`;
  await sql`CREATE TABLE effect (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, consumer text NOT NULL, event_id uuid NOT NULL,
    key text NOT NULL, seq bigint NOT NULL, nonce text NOT NULL)`;
}

async function makeTopic(
  brokers: readonly string[],
  stream: ReturnType<typeof streamOf>,
): Promise<void> {
  const nobody = () => undefined;
  const log = { info: nobody, warn: nobody, error: nobody };
  await using kafka = createKafka({ brokers, clientId: "waybill-faults", log });
  await kafka.ensureTopics([stream], { replication: 1, minInsyncReplicas: 1 });
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

// Where a benchmark runs: a folder of its own, a PostgreSQL and a Kafka, and nothing left behind.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName, dropDatabase, STORES } from "../dev/backends/databases.ts";
import { type Backends, findBackends } from "../dev/backends/find.ts";
import { clientOf } from "../dev/backends/kafka-ready.ts";
import type { Say } from "../dev/backends/problem.ts";

export interface Place extends AsyncDisposable {
  readonly home: string;
  /** Prefixes the databases and topics, on servers that may hold others. */
  readonly namespace: string;
  readonly postgres: Backends["postgres"];
  readonly kafka: Backends["kafka"];
}

/** The folder of one run. Nothing may run in it any more when it is disposed of. */
export function makeHome(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "waybill-bench-"));
  chmodSync(path, 0o755); // PostgreSQL's user must pass through
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Servers as `npm start` finds them: named by DATABASE_URL and KAFKA_BROKERS, else embedded, else containers. */
export async function openPlace(home: string, say: Say): Promise<Place> {
  await using parts = new AsyncDisposableStack();
  const namespace = `bench_${Date.now().toString(36)}`;
  const { postgres, kafka } = parts.use(await findBackends({ home, say }));
  if (postgres.kind === "given") parts.defer(() => dropDatabases(postgres.url, namespace));
  if (kafka.kind === "given") parts.defer(() => dropTopics(kafka.brokers, namespace));
  const servers = parts.move();
  return {
    home,
    namespace,
    postgres,
    kafka,
    [Symbol.asyncDispose]: () => servers.disposeAsync(),
  };
}

async function dropDatabases(server: string, namespace: string): Promise<void> {
  for (const store of STORES) await dropDatabase(server, databaseName(store, namespace));
}

async function dropTopics(brokers: readonly string[], namespace: string): Promise<void> {
  const admin = clientOf(brokers).admin();
  const ours = (name: string) => name.startsWith(`${namespace}.`);
  try {
    await admin.connect();
    const topics = (await admin.listTopics()).filter(ours);
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const left = groups.map(({ groupId }) => groupId).filter(ours);
    if (left.length > 0) await admin.deleteGroups(left);
  } finally {
    await admin.disconnect();
  }
}

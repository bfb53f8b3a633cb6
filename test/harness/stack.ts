// A stack under test: with a namespace and a folder of its own, on servers that others may use too.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName, dropDatabase, STORES } from "../../dev/backends/databases.ts";
import { clientOf } from "../../dev/backends/kafka-ready.ts";
import { type Stack, startStack } from "../../dev/stack/start-stack.ts";
import type { Place, Servers } from "./place.ts";

export interface OwnStack extends Stack, AsyncDisposable {
  readonly place: Place;
  /** What the launcher said, one line each. */
  readonly said: readonly string[];
}

/** A folder under the temporary one that PostgreSQL's user may pass through. */
export function openFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "waybill-test-"));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function newNamespace(): string {
  return `t_${randomBytes(6).toString("hex")}`;
}

/** Four services and a sandbox as processes; disposing stops them and takes away what they left. */
export async function openStack(servers: Servers): Promise<OwnStack> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(openFolder());
  const namespace = newNamespace();
  if (servers.areGiven) parts.defer(() => takeAway(servers, namespace));
  const said: string[] = [];
  const stack = parts.use(
    await startStack({
      home: folder.path,
      port: 0,
      namespace,
      backends: {
        postgres: { kind: "given", url: servers.postgresUrl },
        kafka: { kind: "given", brokers: servers.brokers },
      },
      say: (line) => said.push(line),
    }),
  );
  const running = parts.move();
  return {
    get stack() {
      return stack.stack;
    },
    home: stack.home,
    stopService: (name) => stack.stopService(name),
    startService: (name) => stack.startService(name),
    killService: (name, signal) => stack.killService(name, signal),
    said,
    place: { stack: stack.stack, home: folder.path, namespace },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Databases, topics and groups of a namespace: on servers of others nothing may be left. */
export async function takeAway(servers: Servers, namespace: string): Promise<void> {
  for (const store of STORES) {
    await dropDatabase(servers.postgresUrl, databaseName(store, namespace));
  }
  const admin = clientOf(servers.brokers).admin();
  await admin.connect();
  try {
    const isOurs = (name: string) => name.startsWith(`${namespace}.`);
    const topics = (await admin.listTopics()).filter(isOurs);
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const groupIds = groups.map((group) => group.groupId).filter(isOurs);
    if (groupIds.length > 0) await admin.deleteGroups(groupIds);
  } finally {
    await admin.disconnect();
  }
}

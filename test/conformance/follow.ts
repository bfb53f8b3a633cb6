// Members of consumer groups, and records, for the tests of the conformance suite.
import { randomUUID } from "node:crypto";
import type {
  BatchControl,
  ConsumerRun,
  InRecord,
  OutRecord,
  PartitionBatch,
} from "../../src/platform/events/ports.ts";
import type { Adapter } from "./adapter.ts";

export const live = (): AbortSignal => new AbortController().signal;
export const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);
export const sorted = (values: readonly (string | null)[]): (string | null)[] =>
  values.toSorted((one, other) => String(one).localeCompare(String(other)));
export const newGroup = (): string => `group-${randomUUID()}`;

/** A topic of its own for a test. */
export async function newTopic(adapter: Adapter, partitions = 1): Promise<string> {
  const topic = `topic-${randomUUID()}`;
  await adapter.createTopic(topic, partitions);
  return topic;
}

export function record(topic: string, key: string, value: string): OutRecord {
  return { topic, key: bytes(key), value: bytes(value), headers: new Map() };
}

/** Sends records of these values, one send for all, under the key. */
export async function send(
  adapter: Adapter,
  topic: string,
  values: readonly string[],
  key = "k",
): Promise<void> {
  const records = values.map((value) => record(topic, key, value));
  await adapter.producer().send(records, { signal: live() });
}

/** A key for each partition of the topic, found by asking where it goes. */
export async function keysByPartition(adapter: Adapter, topic: string): Promise<string[]> {
  const keys: string[] = [];
  const { size } = await adapter.log().ranges(topic);
  const candidates = Array.from({ length: size * 16 }, (_, index) => `key-${index}`);
  const probes = candidates.map((key) => record(topic, key, "probe"));
  await adapter.producer().send(probes, { signal: live() });
  for (const { partition, key } of await readAll(adapter, topic)) {
    const name = text(key);
    if (name !== null) keys[partition] ??= name;
  }
  return keys;
}

/** Everything that the topic holds, in the order of each partition. */
export async function readAll(adapter: Adapter, topic: string): Promise<InRecord[]> {
  const log = adapter.log();
  const records: InRecord[] = [];
  await log.read({
    topic,
    ranges: await log.ranges(topic),
    signal: live(),
    onRecords: async (some) => void records.push(...some),
  });
  return records;
}

export interface Follower extends AsyncDisposable {
  readonly batches: { readonly batch: PartitionBatch; readonly control: BatchControl }[];
  /** What it was given, again and again where it was. */
  values(): (string | null)[];
  stop(): Promise<void>;
}

export interface FollowOptions {
  readonly topics: readonly string[];
  readonly group?: string;
  /** Commits the whole batch where it is not given. */
  readonly onBatch?: ConsumerRun["onBatch"];
}

/** A member of a group. It leaves when it is disposed. */
export function follow(adapter: Adapter, o: FollowOptions): Follower {
  const stopping = new AbortController();
  const batches: Follower["batches"] = [];
  const running = adapter.consumer().run({
    group: o.group ?? newGroup(),
    topics: o.topics,
    signal: stopping.signal,
    async onBatch(batch, control) {
      batches.push({ batch, control });
      await (o.onBatch ?? commitAll)(batch, control);
    },
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return {
    batches,
    values: () => batches.flatMap(({ batch }) => batch.records.map(({ value }) => text(value))),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export const commitAll: ConsumerRun["onBatch"] = async ({ records }, control) => {
  await control.commit(behind(records));
};

/** The offset behind the last of the records. */
export function behind(records: readonly InRecord[]): bigint {
  const last = records.at(-1);
  if (last === undefined) throw new Error("A batch holds at least one record.");
  return last.offset + 1n;
}

/** Waits until the signal aborts. */
export async function abortOf(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve());
  if (signal.aborted) resolve();
  await promise;
}

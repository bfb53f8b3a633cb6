// Makes the topics that the contract declares, and refuses those that are there but different.
import { setTimeout as wait } from "node:timers/promises";
import type { StreamTopic } from "./stream.ts";

const CREATE_LIMIT_MS = 15_000;
/** How long a topic may take from its creation, perhaps by another service, until the broker knows its leaders. */
const APPEAR_LIMIT_MS = 15_000;
const APPEAR_POLL_MS = 50;
/** What a broker says of a topic that was made a moment ago. */
const APPEARING = new Set(["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE"]);

/** How safely the brokers keep the topics: a setting of the deployment. */
export interface TopicSafety {
  readonly replication: number;
  readonly minInsyncReplicas: number;
}

/** The part of the client library's admin that is used. */
export interface TopicAdmin {
  listTopics(): Promise<string[]>;
  /** Resolves too when somebody else made a topic meanwhile. */
  createTopics(o: {
    timeout: number;
    waitForLeaders: boolean;
    topics: NewTopic[];
  }): Promise<boolean>;
  fetchTopicMetadata(o: {
    topics: string[];
  }): Promise<{ topics: { name: string; partitions: unknown[] }[] }>;
}

interface NewTopic {
  topic: string;
  numPartitions: number;
  replicationFactor: number;
  configEntries: { name: string; value: string }[];
}

/** A topic is not as the contract declares it. */
export class TopicError extends Error {
  override readonly name = "TopicError";
}

export async function ensureTopics(
  admin: TopicAdmin,
  streams: readonly StreamTopic[],
  safety: TopicSafety,
): Promise<void> {
  const present = new Set(await admin.listTopics());
  const topics = streams
    .filter(({ topic }) => !present.has(topic))
    .map((stream) => newTopic(stream, safety));
  if (topics.length > 0) {
    // The library's own wait for leaders gives up on a topic that the broker does not know yet.
    await admin.createTopics({ timeout: CREATE_LIMIT_MS, waitForLeaders: false, topics });
  }
  const counts = await partitionCounts(
    admin,
    streams.map(({ topic }) => topic),
  );
  for (const { topic, partitions } of streams)
    refuseOtherCount(topic, partitions, counts.get(topic));
}

/** Waits for the leaders of all partitions, too: without them the metadata is an error. */
async function partitionCounts(
  admin: TopicAdmin,
  names: string[],
): Promise<ReadonlyMap<string, number>> {
  const deadline = performance.now() + APPEAR_LIMIT_MS;
  for (;;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: names });
      return new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
    } catch (error) {
      if (!isAppearing(error) || performance.now() > deadline) throw error;
    }
    await wait(APPEAR_POLL_MS);
  }
}

/** The library wraps what it has tried several times. */
function isAppearing(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("type" in error && typeof error.type === "string" && APPEARING.has(error.type)) return true;
  return "cause" in error && isAppearing(error.cause);
}

const newTopic = (stream: StreamTopic, safety: TopicSafety): NewTopic => ({
  topic: stream.topic,
  numPartitions: stream.partitions,
  replicationFactor: safety.replication,
  configEntries: [
    { name: "retention.ms", value: String(stream.retentionHours * 60 * 60 * 1000) },
    { name: "min.insync.replicas", value: String(safety.minInsyncReplicas) },
  ],
});

/** A key's partition follows from their number: with another number its events would be in two places. */
function refuseOtherCount(topic: string, declared: number, found: number | undefined): void {
  if (found === declared) return;
  throw new TopicError(
    `The topic ${topic} has ${found ?? "no"} partitions, but the contract declares ${declared}. ` +
      "Events of a key would lose their order. Stop what publishes to it, let its readers come to the end, " +
      `then delete the topic, so that it is made anew with ${declared} partitions.`,
  );
}

// Apache Kafka through kafkajs: the only file that knows the library. Its defaults lose events; each one that does is set.
import { createRequire } from "node:module";
import {
  Kafka as Client,
  logLevel,
  Partitioners,
  type Admin,
  type EachBatchPayload,
  type LogEntry,
} from "kafkajs";
import {
  createKafkaConsumer,
  type Member,
  type MemberBatch,
  type MemberEvents,
} from "./kafka-consumer.ts";
import { createKafkaProducer, type RawProducer } from "./kafka-producer.ts";
import { ensureTopics, type TopicSafety } from "./kafka-topics.ts";
import { within } from "./loop.ts";
import type { EventConsumer, EventProducer, EventsLog, InRecord } from "./ports.ts";
import type { StreamTopic } from "./stream.ts";

const CONNECTION_LIMIT_MS = 3_000;
const REQUEST_LIMIT_MS = 8_000;
/** How long the broker may take to have a batch on all in-sync replicas. */
const ACK_LIMIT_MS = 5_000;
/** A member that was killed holds its partitions for this long: the least that a broker allows by default. */
const SESSION_MS = 6_000;
const HEARTBEAT_MS = 1_000;
const REBALANCE_MS = 10_000;
/** How long a fetch waits for records; also how long a stop waits for the fetch. */
const FETCH_WAIT_MS = 500;
/** Batches of different partitions at the same time. What the database sees of it is bounded by the lanes. */
const PARTITIONS_AT_ONCE = 8;
const PING_LIMIT_MS = 3_000;
const ALL_IN_SYNC_REPLICAS = -1;
const SAME_LOG_EVERY_MS = 30_000;
const LOG_TEXTS_LIMIT = 100;

export interface Kafka extends AsyncDisposable {
  producer(): EventProducer;
  consumer(): EventConsumer;
  /** Makes missing topics. Throws a TopicError when one has another number of partitions than the contract says. */
  ensureTopics(streams: readonly StreamTopic[], safety: TopicSafety): Promise<void>;
  /** Asks for the cluster's metadata; throws when no broker answers. */
  ping(): Promise<void>;
}

/** Connects to nothing yet. Throws when the library lacks its patch. */
export function createKafka(o: {
  brokers: readonly string[];
  clientId: string;
  log: EventsLog;
}): Kafka {
  requirePatch();
  const client = new Client({
    clientId: o.clientId,
    brokers: [...o.brokers],
    connectionTimeout: CONNECTION_LIMIT_MS,
    requestTimeout: REQUEST_LIMIT_MS,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: logLevel.ERROR,
    logCreator: () => libraryLog(o.log),
  });
  const producers: AsyncDisposable[] = [];
  const once = async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = client.admin({ retry: { retries: 5 } });
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    producer() {
      const producer = createKafkaProducer(() => rawProducer(client));
      producers.push(producer);
      return producer;
    },
    consumer: () =>
      createKafkaConsumer(
        (group, topics, events) => joinGroup(client, group, topics, events),
        o.log,
      ),
    ensureTopics: (streams, safety) => once((admin) => ensureTopics(admin, streams, safety)),
    async ping() {
      const answer = await within(
        PING_LIMIT_MS,
        once((admin) => admin.describeCluster()),
      );
      if (answer === undefined)
        throw new Error(`No Kafka broker answered within ${PING_LIMIT_MS} ms.`);
    },
    async [Symbol.asyncDispose]() {
      for (const producer of producers) await producer[Symbol.asyncDispose]();
    },
  };
}

/** idempotent stays false: after an ambiguous error the library gives a new batch the old one's number, and loses it. */
function rawProducer(client: Client): RawProducer {
  const producer = client.producer({
    allowAutoTopicCreation: false,
    idempotent: false,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { retries: 0 }, // the caller sends again, over a new connection; the library asks a dead one
  });
  return {
    connect: () => producer.connect(),
    disconnect: () => producer.disconnect(),
    async send(records) {
      const byTopic = Map.groupBy(records, (record) => record.topic);
      await producer.sendBatch({
        acks: ALL_IN_SYNC_REPLICAS,
        timeout: ACK_LIMIT_MS,
        topicMessages: [...byTopic].map(([topic, messages]) => ({
          topic,
          messages: messages.map(({ key, value, headers }) => ({
            key: buffer(key),
            value: buffer(value),
            headers: Object.fromEntries([...headers].map(([name, bytes]) => [name, buffer(bytes)])),
          })),
        })),
      });
    },
  };
}

const buffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function joinGroup(
  client: Client,
  group: string,
  topics: readonly string[],
  events: MemberEvents,
): Member {
  const consumer = client.consumer({
    groupId: group,
    sessionTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    rebalanceTimeout: REBALANCE_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    allowAutoTopicCreation: false,
    // A crash ends the membership; the caller begins a new one. The library's own restart misses some crashes.
    retry: {
      initialRetryTime: 100,
      maxRetryTime: 1_000,
      retries: 5,
      restartOnFailure: async () => false,
    },
  });
  consumer.on(consumer.events.FETCH, () => events.onFetch());
  consumer.on(consumer.events.REBALANCING, () => events.onGeneration());
  consumer.on(consumer.events.GROUP_JOIN, () => events.onGeneration());
  // The library goes on asking over a connection that may be dead though it looks open.
  const silent = new Error("The broker did not answer a request.");
  consumer.on(consumer.events.REQUEST_TIMEOUT, () => events.onCrash(silent));
  consumer.on(consumer.events.CRASH, ({ payload }) => events.onCrash(payload.error));
  return {
    async start() {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: (payload) => events.onBatch(memberBatch(payload)),
      });
    },
    stop: () => consumer.disconnect(),
  };
}

function memberBatch(payload: EachBatchPayload): MemberBatch {
  const { topic, partition, messages } = payload.batch;
  return {
    topic,
    partition,
    records: messages.map((message) => ({
      topic,
      partition,
      offset: BigInt(message.offset),
      key: message.key,
      value: message.value,
      headers: headerMap(message.headers ?? {}),
    })),
    heartbeat: () => payload.heartbeat(),
    resolve: (offset) => payload.resolveOffset(String(offset)),
    commit: (next) =>
      payload.commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition, offset: String(next) }] }],
      }),
    pause: () => payload.pause(),
  };
}

/** Of a header that is there more than once, the last one counts. */
function headerMap(
  headers: NonNullable<EachBatchPayload["batch"]["messages"][number]["headers"]>,
): InRecord["headers"] {
  const map = new Map<string, Uint8Array>();
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined)
      map.set(name, typeof last === "string" ? Buffer.from(last, "utf8") : last);
  }
  return map;
}

/**
 * What the library calls an error is mostly a retry of its own, many a second while a broker is away: each text is
 * logged now and then. What comes of it, the callers log.
 */
function libraryLog(log: EventsLog): (entry: LogEntry) => void {
  const told = new Map<string, number>();
  return ({ namespace, log: { message, error, groupId } }) => {
    const now = performance.now();
    if (now - (told.get(message) ?? -Infinity) < SAME_LOG_EVERY_MS) return;
    if (told.size >= LOG_TEXTS_LIMIT) told.clear();
    told.set(message, now);
    log.warn({ namespace, error, groupId }, `kafkajs: ${message}`);
  };
}

/** Unpatched, every idle connection of the library sets some thousand timers a second. */
function requirePatch(): void {
  const queue: unknown = createRequire(import.meta.url)(
    "kafkajs/src/network/requestQueue/index.js",
  );
  const check: unknown =
    typeof queue === "function" ? Reflect.get(queue.prototype, "scheduleCheckPendingRequests") : 0;
  const idle: {
    pending: never[];
    throttledUntil: number;
    throttleCheckTimeoutId: NodeJS.Timeout | null;
  } = {
    pending: [],
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
  };
  if (typeof check === "function") Reflect.apply(check, idle, []);
  if (typeof check === "function" && idle.throttleCheckTimeoutId === null) return;
  clearTimeout(idle.throttleCheckTimeoutId ?? undefined);
  throw new Error(
    "kafkajs is not patched: run `npm ci` without --ignore-scripts, which applies patches/ to it.",
  );
}

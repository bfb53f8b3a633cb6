// Apache Kafka through kafkajs: the only file that knows the library. Its defaults lose events; each one that does is set.
import {
  Kafka as Client,
  logLevel,
  Partitioners,
  type Admin,
  type Consumer,
  type EachBatchPayload,
} from "kafkajs";
import { createKafkaConsumer } from "./kafka-consumer.ts";
import { libraryLog, requirePatch } from "./kafka-library.ts";
import { createKafkaLog, type LogSource, type Reader, type ReaderEvents } from "./kafka-log.ts";
import { memberOf, type Member, type MemberBatch, type MemberEvents } from "./kafka-member.ts";
import { createKafkaProducer, type RawProducer } from "./kafka-producer.ts";
import { inRecord, outMessage } from "./kafka-record.ts";
import { ensureTopics, type TopicSafety } from "./kafka-topics.ts";
import { within } from "./loop.ts";
import type { EventConsumer, EventLog, EventProducer, EventsLog } from "./ports.ts";
import type { StreamTopic } from "./stream.ts";

const CONNECTION_LIMIT_MS = 3_000;
/** How long the broker may take to have a batch on all in-sync replicas. */
const ACK_LIMIT_MS = 5_000;
/** A member that was killed holds its partitions for this long: the least that a broker allows by default. */
const SESSION_MS = 6_000;
const HEARTBEAT_MS = 1_000;
/** A member sits out a broker that is away for about 20 s: a new one would wait for the end of the old one's session. */
const MEMBER_RETRIES = 20;
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 };
/** How long a fetch waits for records; also how long a stop waits for the fetch. */
const FETCH_WAIT_MS = 500;
/** Batches of different partitions at the same time. What the database sees of it is bounded by the lanes. */
const PARTITIONS_AT_ONCE = 8;
/**
 * Of one partition, a fetch brings so many bytes. No less than the largest batch that a broker takes (1,048,588 unless
 * it is told otherwise): the tail of a larger one would be cut off, and come only when no other partition has any.
 */
const PARTITION_FETCH_BYTES = 1_100_000;
/**
 * A member holds so many bytes at most. Enough for all partitions of two topics at their fullest: the library asks for
 * them in the same order each time, so the last ones would starve behind the backlog of the first.
 */
const FETCH_BYTES = 16_000_000;
const PING_LIMIT_MS = 3_000;

export interface KafkaLimits {
  /** How long an answer may take. A send without one is of unknown outcome. */
  readonly requestMs: number;
  /** How long the others wait for a member whose handlers do not end, before they share what it had. */
  readonly rebalanceMs: number;
}

const LIMITS: KafkaLimits = { requestMs: 8_000, rebalanceMs: 10_000 };

export interface Kafka extends AsyncDisposable {
  producer(): EventProducer;
  consumer(): EventConsumer;
  log(): EventLog;
  /** Makes missing topics. Throws a TopicError when one has another number of partitions than the contract says. */
  ensureTopics(streams: readonly StreamTopic[], safety: TopicSafety): Promise<void>;
  /** Asks for the cluster's metadata; throws when no broker answers. */
  ping(): Promise<void>;
}

type AdminOnce = <T>(work: (admin: Admin) => Promise<T>) => Promise<T>;

/** Connects to nothing yet. Throws when the library lacks its patch. */
export function createKafka(o: {
  brokers: readonly string[];
  clientId: string;
  log: EventsLog;
  limits?: KafkaLimits;
}): Kafka {
  const limits = o.limits ?? LIMITS;
  requirePatch();
  const newClient = (retries: number): Client =>
    new Client({
      clientId: o.clientId,
      brokers: [...o.brokers],
      connectionTimeout: CONNECTION_LIMIT_MS,
      requestTimeout: limits.requestMs,
      retry: { ...RETRY, retries },
      logLevel: logLevel.ERROR,
      logCreator: () => libraryLog(o.log),
    });
  const client = newClient(RETRY.retries);
  const patient = newClient(MEMBER_RETRIES);
  const producers: AsyncDisposable[] = [];
  const once: AdminOnce = async (work) => {
    const admin = client.admin();
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
        (group, topics, events) => joinGroup(newConsumer(patient, group, limits), topics, events),
        o.log,
      ),
    log: () =>
      createKafkaLog(
        logSource((group) => newConsumer(client, group, limits), once),
        o.clientId,
        o.log,
      ),
    ensureTopics: (streams, safety) => once((admin) => ensureTopics(admin, streams, safety)),
    async ping() {
      const asked = once((admin) => admin.describeCluster());
      const answer = await within(PING_LIMIT_MS, asked);
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
    retry: { retries: 0 }, // the caller sends again, over a new connection
  });
  return {
    connect: () => producer.connect(),
    disconnect: () => producer.disconnect(),
    async send(records) {
      const byTopic = Map.groupBy(records, (record) => record.topic);
      await producer.sendBatch({
        acks: -1, // all in-sync replicas
        timeout: ACK_LIMIT_MS,
        topicMessages: [...byTopic].map(([topic, messages]) => ({
          topic,
          messages: messages.map(outMessage),
        })),
      });
    },
  };
}

const newConsumer = (client: Client, group: string, { rebalanceMs }: KafkaLimits): Consumer =>
  client.consumer({
    groupId: group,
    sessionTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    rebalanceTimeout: rebalanceMs,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: PARTITION_FETCH_BYTES,
    maxBytes: FETCH_BYTES,
    allowAutoTopicCreation: false,
    // A crash ends the membership; the caller begins a new one. The library's own restart misses some crashes.
    retry: { ...RETRY, retries: MEMBER_RETRIES, restartOnFailure: async () => false },
  });

function joinGroup(consumer: Consumer, topics: readonly string[], events: MemberEvents): Member {
  consumer.on(consumer.events.FETCH, () => events.onFetch());
  const silent = new Error("No answer: the connection may be dead though it looks open.");
  consumer.on(consumer.events.REQUEST_TIMEOUT, () => events.onCrash(silent));
  consumer.on(consumer.events.REBALANCING, () => events.onGeneration(() => false));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) =>
    events.onGeneration(
      (topic, partition) => memberAssignment[topic]?.includes(partition) ?? false,
    ),
  );
  consumer.on(consumer.events.CRASH, ({ payload }) => events.onCrash(payload.error));
  const join = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => events.onBatch(memberBatch(payload)),
    });
  };
  return memberOf(join, () => consumer.disconnect());
}

function memberBatch(payload: EachBatchPayload): MemberBatch {
  const { topic, partition, messages } = payload.batch;
  return {
    topic,
    partition,
    records: messages.map((message) => inRecord(topic, partition, message)),
    heartbeat: () => payload.heartbeat(),
    resolve: (offset) => payload.resolveOffset(String(offset)),
    commit: (next) =>
      payload.commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition, offset: String(next) }] }],
      }),
    pause: () => payload.pause(),
  };
}

function logSource(newReader: (group: string) => Consumer, once: AdminOnce): LogSource {
  return {
    offsets: (topic) => once((admin) => admin.fetchTopicOffsets(topic)),
    offsetsSince: (topic, time) =>
      once((admin) => admin.fetchTopicOffsetsByTimestamp(topic, time.getTime())),
    async committed(group, topic) {
      const found = await once((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
      return found.flatMap(({ partitions }) => partitions);
    },
    forgetGroup: (group) => once(async (admin) => void (await admin.deleteGroups([group]))),
    newReader: (group, topic, events) => readTopic(newReader(group), topic, events),
  };
}

function readTopic(consumer: Consumer, topic: string, events: ReaderEvents): Reader {
  // Dealt anew, the library begins at the earliest record again: a group that commits nothing has no other place.
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    const positions = events.positions();
    for (const partition of memberAssignment[topic] ?? []) {
      const next = positions.get(partition);
      if (next === undefined) consumer.pause([{ topic, partitions: [partition] }]);
      else consumer.seek({ topic, partition, offset: String(next) });
    }
  });
  // Comes also for batches that hold nothing for us, such as the marks of a transaction.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) =>
    events.onPassed(partition, BigInt(lastOffset) + 1n),
  );
  consumer.on(consumer.events.CRASH, ({ payload }) => events.onCrash(payload.error));
  const join = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: (payload) => events.onBatch(memberBatch(payload)),
    });
  };
  return {
    ...memberOf(join, () => consumer.disconnect()),
    finish: (partition) => consumer.pause([{ topic, partitions: [partition] }]),
  };
}

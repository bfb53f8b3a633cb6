// A broker in memory, for tests of what publishes and handles events: it keeps every promise of the ports, and can be
// told to behave as badly as a real one may.
import { createMemoryConsumer } from "./memory-consumer.ts";
import { MemoryGroup } from "./memory-group.ts";
import { createMemoryLog } from "./memory-log.ts";
import { MemoryPartition, partitionOf, type MemoryRecord } from "./memory-topic.ts";
import {
  RecordsRefusedError,
  type EventConsumer,
  type EventLog,
  type EventProducer,
  type EventsLog,
  type OutRecord,
} from "./ports.ts";

/** What Kafka takes of one partition at a time, unless it is told otherwise (`message.max.bytes`). */
const BATCH_LIMIT_BYTES = 1_048_588;
const REBALANCE_MS = 10_000;
/** What Kafka adds to a batch, and about what it adds to a record. */
const BATCH_OVERHEAD_BYTES = 61;
const RECORD_OVERHEAD_BYTES = 21;

export interface MemoryBroker {
  producer(): EventProducer;
  consumer(): EventConsumer;
  log(): EventLog;
  /** Records are sent to known topics only. Throws for one that is there. */
  createTopic(topic: string, partitions: number): void;
  /** Writes what the producer port cannot, such as a tombstone. By its key where no partition is named. */
  append(topic: string, record: MemoryRecord, partition?: number): void;
  /** A partition, to make holes in it (`skip`, `remove`) or to let it forget its beginning (`forget`). */
  partition(topic: string, partition: number): MemoryPartition;
  /**
   * The next send rejects as if its answer had been lost: the records are written all the same ("written") or not
   * ("lost"), and its caller cannot know.
   */
  failNextSend(outcome: "written" | "lost"): void;
}

export interface MemoryBrokerOptions {
  /** Topics to begin with, and their numbers of partitions. */
  readonly topics?: Readonly<Record<string, number>>;
  /** The time of records, in milliseconds since 1970. */
  readonly now?: () => number;
  readonly batchLimitBytes?: number;
  /** How long a partition waits for a handler of its last owner that does not end. */
  readonly rebalanceMs?: number;
  /** Hears of handlers that throw. */
  readonly log?: EventsLog;
}

const silent: EventsLog = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function createMemoryBroker(o: MemoryBrokerOptions = {}): MemoryBroker {
  const now = o.now ?? Date.now;
  const rebalanceMs = o.rebalanceMs ?? REBALANCE_MS;
  const topics = new Map<string, readonly MemoryPartition[]>();
  const groups = new Map<string, MemoryGroup>();
  const failures: ("written" | "lost")[] = [];

  const partitionsOf = (topic: string): readonly MemoryPartition[] => topics.get(topic) ?? [];
  const partition = (topic: string, index: number): MemoryPartition => {
    const found = partitionsOf(topic)[index];
    if (found === undefined)
      throw new RangeError(
        `The topic ${topic} has ${partitionsOf(topic).length} partitions, and no partition ${index}.`,
      );
    return found;
  };
  const groupOf = (name: string): MemoryGroup => {
    const group = groups.get(name) ?? new MemoryGroup(partitionsOf);
    groups.set(name, group);
    return group;
  };
  const createTopic = (topic: string, count: number): void => {
    if (topics.has(topic)) throw new RangeError(`The topic ${topic} is there already.`);
    topics.set(
      topic,
      Array.from({ length: count }, (_, index) => new MemoryPartition(topic, index)),
    );
    for (const group of groups.values()) group.deal();
  };
  for (const [topic, count] of Object.entries(o.topics ?? {})) createTopic(topic, count);

  const write = (records: readonly OutRecord[]): void =>
    writeBatches(records, partitionsOf, o.batchLimitBytes ?? BATCH_LIMIT_BYTES, now);
  return {
    producer: () => ({
      async send(records, { signal }) {
        signal.throwIfAborted();
        const failure = records.length > 0 ? failures.shift() : undefined;
        if (failure !== "lost") write(records);
        await Promise.resolve();
        if (failure !== undefined) throw new Error("The answer of the broker was lost.");
      },
    }),
    consumer: () => createMemoryConsumer({ groupOf, log: o.log ?? silent, rebalanceMs }),
    log: () => createMemoryLog(partitionsOf, (group, of) => groups.get(group)?.committed(of)),
    createTopic,
    append(topic, record, index) {
      const count = partitionsOf(topic).length;
      const chosen = index ?? (record.key === null ? 0 : partitionOf(record.key, count));
      partition(topic, chosen).append(record, now());
    },
    partition,
    failNextSend: (outcome) => void failures.push(outcome),
  };
}

/** As a broker does it: one batch for each partition, taken or refused as a whole, whatever becomes of the others. */
function writeBatches(
  records: readonly OutRecord[],
  partitionsOf: (topic: string) => readonly MemoryPartition[],
  limitBytes: number,
  now: () => number,
): void {
  const batches = Map.groupBy(records, ({ topic, key }) => {
    const partitions = partitionsOf(topic);
    const found = partitions[partitionOf(key, partitions.length)];
    if (found === undefined)
      throw new RecordsRefusedError("unknown_topic", "UNKNOWN_TOPIC_OR_PARTITION", { topic });
    return found;
  });
  let refused: RecordsRefusedError | undefined;
  for (const [partition, batch] of batches) {
    const bytes = batch.reduce((sum, record) => sum + sizeOf(record), BATCH_OVERHEAD_BYTES);
    if (bytes > limitBytes)
      refused ??= new RecordsRefusedError("malformed", "MESSAGE_TOO_LARGE", { bytes, limitBytes });
    else for (const record of batch) partition.append(record, now());
  }
  if (refused !== undefined) throw refused;
}

function sizeOf({ key, value, headers }: OutRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + key.byteLength + value.byteLength;
  for (const [name, content] of headers) bytes += Buffer.byteLength(name) + content.byteLength + 2;
  return bytes;
}

// What the event layer asks of a broker and of a log. Adapters give it; services and tests see only this.

/** A record on its way to the broker. Records of one key lie in one partition, while the number of partitions stays. */
export interface OutRecord {
  readonly topic: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Names are text, values any bytes. */
  readonly headers: ReadonlyMap<string, Uint8Array>;
}

export interface EventProducer {
  /**
   * Resolves when all in-sync replicas have every record. A rejection means UNKNOWN: any of them may have been
   * written, more than once. Only a RecordsRefusedError says that the broker will never take them as they are.
   *
   * Per partition the records are stored in their order; of sends that run at the same time, no order is promised.
   * Once the signal has aborted nothing is begun, but what is under way is waited for: to leave it would double it.
   */
  send(records: readonly OutRecord[], o: { signal: AbortSignal }): Promise<void>;
}

/**
 * The broker will not take the records however often they are sent together: one of them is wrong, or all that go to
 * one partition are too large together. The others may have been written. Sent one by one, each tells of itself.
 */
export class RecordsRefusedError extends Error {
  override readonly name = "RecordsRefusedError";
  /** A topic that is not there may yet be made; what is too large or malformed stays so. */
  readonly kind: "malformed" | "unknown_topic";

  constructor(kind: "malformed" | "unknown_topic", message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** A record as it was read from a partition. */
export interface InRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** null: somebody else's record; what is sent here has a key. */
  readonly key: Uint8Array | null;
  /** null: a tombstone. */
  readonly value: Uint8Array | null;
  /** Of a header that is there more than once, the last one; one without a value is left out. */
  readonly headers: ReadonlyMap<string, Uint8Array>;
}

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** In the order of the partition, at least one; offsets may have gaps. */
  readonly records: readonly InRecord[];
}

export interface BatchControl {
  /**
   * Aborts when the partition was taken away or the consumer stops: finish what runs, begin nothing. What is
   * committed afterwards counts at a stop; it may have no effect when the partition is another member's.
   */
  readonly signal: AbortSignal;
  /**
   * `next` is the offset of the first record that is not done: one of the batch, or the one after its last. Never
   * rejects: the inbox is the truth, this a hint. It goes only forward, and has no effect once `onBatch` is over.
   */
  commit(next: bigint): Promise<void>;
  /**
   * Asks for the rest of the partition again, from the last commit on, after so many milliseconds; of several calls
   * the longest counts. Other partitions go on meanwhile.
   */
  pause(milliseconds: number): void;
}

export interface ConsumerRun {
  /** Its members share the partitions. It begins where it committed; where it never did, at the first record. */
  readonly group: string;
  /** Those that are not there yet are waited for. */
  readonly topics: readonly string[];
  /** Leaves the group and makes `run` resolve. */
  readonly signal: AbortSignal;
  /**
   * Partitions come at the same time, the batches of one partition one after the other. What was not committed when
   * it resolves comes again: at once, or after the pause. It must not throw: that is logged and taken for a pause.
   */
  onBatch(batch: PartitionBatch, control: BatchControl): Promise<void>;
}

export interface EventConsumer {
  /**
   * Resolves after the signal, when the last batch is done and the group left, within 10 s at the latest: a handler
   * that goes on after that commits nothing. A lost broker is waited for.
   */
  run(o: ConsumerRun): Promise<void>;
}

/** Of one partition: from the first offset, up to and without the last. */
export interface OffsetRange {
  readonly from: bigint;
  readonly end: bigint;
}

/**
 * Looks into topics from outside of any group: nothing is committed, and no consumer notices. Rejects when the topic
 * is not there, or no broker answers.
 */
export interface EventLog {
  /**
   * Of each partition, what it holds now; with a time, from the first record that is not older on. `end` is the next
   * offset that will be given out; from = end says that there is nothing to read.
   */
  ranges(topic: string, since?: Date): Promise<ReadonlyMap<number, OffsetRange>>;
  /** The next offset that the group will read, by partition; a partition without a commit is left out. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, bigint>>;
  /**
   * Gives the records of the ranges, in order per partition, one call after the other, and resolves behind the last
   * one. Records that the topic has forgotten meanwhile, and offsets that hold none, are left out. Rejects with what
   * `onRecords` throws, and with the signal's reason when it aborts.
   */
  read(o: {
    readonly topic: string;
    readonly ranges: ReadonlyMap<number, OffsetRange>;
    readonly signal: AbortSignal;
    onRecords(records: readonly InRecord[]): Promise<void>;
  }): Promise<void>;
}

/** The part of a structured log that is used here. Neither payloads nor keys of other people get into it. */
export interface EventsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

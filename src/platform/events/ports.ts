// What the event layer asks of a broker and of a log. Adapters give it; services and tests see only this.

/** A record on its way to the broker. */
export interface OutRecord {
  readonly topic: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly headers: ReadonlyMap<string, Uint8Array>;
}

export interface EventProducer {
  /**
   * Resolves when all in-sync replicas have every record. A rejection means UNKNOWN: any of them may have been
   * written, more than once. Only a RecordsRefusedError says that the broker will never take them as they are.
   */
  send(records: readonly OutRecord[], o: { signal: AbortSignal }): Promise<void>;
}

/** The broker will not take a record however often it is sent. Of a batch, at least one record is meant. */
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
  readonly key: Uint8Array | null;
  /** null: a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: ReadonlyMap<string, Uint8Array>;
}

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  /** In the order of the partition; offsets may have gaps. */
  readonly records: readonly InRecord[];
}

export interface BatchControl {
  /** Aborts when the partition was taken away or the consumer stops: finish what runs, begin nothing. */
  readonly signal: AbortSignal;
  /** `next` is the offset of the first record that is not done. Never rejects: the inbox is the truth, this a hint. */
  commit(next: bigint): Promise<void>;
  /** Asks for the rest of the partition again, from the last commit on, after so many milliseconds. */
  pause(milliseconds: number): void;
}

export interface ConsumerRun {
  readonly group: string;
  readonly topics: readonly string[];
  /** Leaves the group and makes `run` resolve. */
  readonly signal: AbortSignal;
  /** Must not throw. Partitions come at the same time, the batches of one partition one after the other. */
  onBatch(batch: PartitionBatch, control: BatchControl): Promise<void>;
}

export interface EventConsumer {
  /** Resolves after the signal, when the last batch is done and the group left. A lost broker is waited for. */
  run(o: ConsumerRun): Promise<void>;
}

/** Of one partition: from the first offset, up to and without the last. */
export interface OffsetRange {
  readonly from: bigint;
  readonly end: bigint;
}

/** Looks into topics from outside of any group: nothing is committed, and no consumer notices. */
export interface EventLog {
  /** Of each partition, what it holds now; with a time, from the first record that is not older on. */
  ranges(topic: string, since?: Date): Promise<ReadonlyMap<number, OffsetRange>>;
  /** The next offset that the group will read, by partition; a partition without a commit is left out. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, bigint>>;
  /**
   * Gives the records of the ranges, in order per partition, and resolves behind the last one. Records that the topic
   * has forgotten meanwhile are left out. Rejects with what `onRecords` throws.
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

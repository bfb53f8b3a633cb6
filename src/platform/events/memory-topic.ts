// A topic in memory: partitions that grow at their end, forget at their beginning, and may have holes between.
import { EventEmitter, once } from "node:events";
import { keyHash } from "./key-hash.ts";
import type { InRecord } from "./ports.ts";

/** A record for a topic in memory; without a value it is a tombstone. */
export interface MemoryRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: ReadonlyMap<string, Uint8Array>;
}

interface Stored {
  readonly record: InRecord;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export class MemoryPartition {
  readonly topic: string;
  readonly partition: number;
  #stored: Stored[] = [];
  #start = 0n;
  #end = 0n;
  readonly #grown = new EventEmitter().setMaxListeners(0);

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** The first offset that is kept. */
  get start(): bigint {
    return this.#start;
  }

  /** The offset that comes next. */
  get end(): bigint {
    return this.#end;
  }

  /** Bytes are copied: what their owner does to them later changes no record. */
  append({ key, value, headers }: MemoryRecord, time: number): void {
    const { topic, partition } = this;
    const record = {
      topic,
      partition,
      offset: this.#end,
      key,
      value,
      headers: headers ?? new Map(),
    };
    this.#stored.push({ record: copy(record), time });
    this.#end += 1n;
    this.#grown.emit("grown");
  }

  /** Offsets that will never hold a record, as the marks of a transaction take them. */
  skip(offsets: number): void {
    this.#end += BigInt(offsets);
    this.#grown.emit("grown");
  }

  /** Takes one record out, as compaction does. */
  remove(offset: bigint): void {
    this.#stored = this.#stored.filter(({ record }) => record.offset !== offset);
  }

  /** Forgets what is before the offset, as retention does. */
  forget(before: bigint): void {
    this.#start = before < this.#end ? before : this.#end;
    this.#stored = this.#stored.filter(({ record }) => record.offset >= this.#start);
  }

  read(from: bigint, limit: number): InRecord[] {
    const first = this.#stored.findIndex(({ record }) => record.offset >= from);
    if (first < 0) return [];
    return this.#stored.slice(first, first + limit).map(({ record }) => copy(record));
  }

  /** The offset of the first record that is not older; the end when there is none. */
  since(time: number): bigint {
    return this.#stored.find((stored) => stored.time >= time)?.record.offset ?? this.#end;
  }

  /** Resolves when there may be something at or behind the offset; also when the signal aborts. */
  async reaches(offset: bigint, signal: AbortSignal): Promise<void> {
    while (this.#end <= offset && !signal.aborted) {
      await once(this.#grown, "grown", { signal }).catch(() => undefined); // it aborted
    }
  }
}

/** The partition of a key: always the same one, though not the one that Kafka would choose. */
export function partitionOf(key: Uint8Array, count: number): number {
  return keyHash(Buffer.from(key).toString("latin1")) % count;
}

const copy = (record: InRecord): InRecord => ({
  ...record,
  key: record.key && new Uint8Array(record.key),
  value: record.value && new Uint8Array(record.value),
  headers: new Map([...record.headers].map(([name, bytes]) => [name, new Uint8Array(bytes)])),
});

// The log port in memory.
import { setImmediate as breathe } from "node:timers/promises";
import type { MemoryPartition } from "./memory-topic.ts";
import type { EventLog, OffsetRange } from "./ports.ts";

const CHUNK_RECORDS = 500;

export function createMemoryLog(
  partitionsOf: (topic: string) => readonly MemoryPartition[],
  committed: (group: string, partition: MemoryPartition) => bigint | undefined,
): EventLog {
  const known = (topic: string): readonly MemoryPartition[] => {
    const partitions = partitionsOf(topic);
    if (partitions.length === 0) throw new RangeError(`There is no topic ${topic}.`);
    return partitions;
  };
  return {
    ranges: async (topic, since) =>
      new Map(
        known(topic).map((partition): [number, OffsetRange] => {
          const from = since === undefined ? partition.start : partition.since(since.getTime());
          return [partition.partition, { from, end: partition.end }];
        }),
      ),
    async committed(group, topic) {
      const offsets = new Map<number, bigint>();
      for (const partition of known(topic)) {
        const next = committed(group, partition);
        if (next !== undefined) offsets.set(partition.partition, next);
      }
      return offsets;
    },
    async read(o) {
      const { topic, ranges, signal } = o;
      signal.throwIfAborted();
      const partitions = known(topic);
      for (const [index, { from, end }] of ranges) {
        const partition = partitions[index];
        if (partition === undefined)
          throw new RangeError(`The topic ${topic} has no partition ${index}.`);
        for (let next = from; next < end;) {
          const records = partition.read(next, CHUNK_RECORDS).filter(({ offset }) => offset < end);
          const last = records.at(-1);
          if (last === undefined) break;
          await o.onRecords(records);
          signal.throwIfAborted();
          await breathe();
          next = last.offset + 1n;
        }
      }
    },
  };
}

// How far a read of offset ranges has come: no record twice, and an end also where the last offsets hold no record.
import type { InRecord, OffsetRange } from "./ports.ts";

export interface Progress {
  /** Partitions that are not at their end yet. */
  open(): number[];
  isOpen(partition: number): boolean;
  done(): boolean;
  /** The next offset of each open partition. */
  positions(): ReadonlyMap<number, bigint>;
  /** Of what came, the records that belong to the rest of the range. */
  wanted(partition: number, records: readonly InRecord[]): readonly InRecord[];
  /** Everything before `next` is done or gone. Never goes back. */
  passed(partition: number, next: bigint): void;
  /** Grows with every step forward. */
  steps(): number;
}

export function createProgress(ranges: ReadonlyMap<number, OffsetRange>): Progress {
  const open = new Map<number, { next: bigint; readonly end: bigint }>();
  for (const [partition, { from, end }] of ranges)
    if (from < end) open.set(partition, { next: from, end });
  let steps = 0;
  return {
    open: () => [...open.keys()],
    isOpen: (partition) => open.has(partition),
    done: () => open.size === 0,
    positions: () => new Map([...open].map(([partition, { next }]) => [partition, next])),
    wanted(partition, records) {
      const range = open.get(partition);
      if (range === undefined) return [];
      return records.filter(({ offset }) => offset >= range.next && offset < range.end);
    },
    passed(partition, next) {
      const range = open.get(partition);
      if (range === undefined || next <= range.next) return;
      steps += 1;
      range.next = next;
      if (next >= range.end) open.delete(partition);
    },
    steps: () => steps,
  };
}

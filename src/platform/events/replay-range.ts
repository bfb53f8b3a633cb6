// Which part of a topic a replay reads: never ahead of the consumer, never further back than the inbox remembers.
import type { EventLog, OffsetRange } from "./ports.ts";

/** The clocks of the broker, the database and the services may differ by less than this. */
const MARGIN_HOURS = 1;
const HOUR_MS = 60 * 60 * 1000;

export interface ReplayRangeOptions {
  readonly log: EventLog;
  readonly group: string;
  readonly topic: string;
  /** As the contract declares it. What the topic still holds beyond it may be forgotten by the inbox. */
  readonly retentionHours: number;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
  /** By partition; undefined: all of them. */
  readonly wanted: ReadonlyMap<number, OffsetRange> | undefined;
}

export type Ranges = ReadonlyMap<number, OffsetRange>;

/** A range was asked of a partition that the topic does not have. */
export class PartitionError extends Error {
  override readonly name = "PartitionError";
}

/**
 * By partition, without the empty ones. It ends where the consumer's group has committed: what comes later the consumer
 * applies itself, and a replay that was faster would take the second event of a key before the first.
 * Throws a PartitionError.
 */
export async function replayRanges(o: ReplayRangeOptions): Promise<Ranges> {
  const oldest = Date.now() - (o.retentionHours - MARGIN_HOURS) * HOUR_MS;
  const since = new Date(Math.max(oldest, o.since?.getTime() ?? 0));
  const [kept, committed, until] = await Promise.all([
    o.log.ranges(o.topic, since),
    o.log.committed(o.group, o.topic),
    o.until === undefined ? undefined : o.log.ranges(o.topic, o.until),
  ]);
  for (const partition of o.wanted?.keys() ?? []) {
    if (!kept.has(partition))
      throw new PartitionError(
        `${o.topic} has no partition ${partition}: they are 0 to ${kept.size - 1}`,
      );
  }
  const ranges = [...kept].map(([partition, { from, end }]): [number, OffsetRange] => {
    const wanted = o.wanted === undefined ? { from, end } : o.wanted.get(partition);
    const ends = [end, committed.get(partition) ?? from, wanted?.end ?? from];
    if (until !== undefined) ends.push(until.get(partition)?.from ?? from);
    return [partition, { from: greatest([from, wanted?.from ?? from]), end: least(ends) }];
  });
  return new Map(ranges.filter(([, { from, end }]) => from < end).toSorted(([a], [b]) => a - b));
}

const least = (offsets: readonly bigint[]): bigint => offsets.reduce((a, b) => (b < a ? b : a));
const greatest = (offsets: readonly bigint[]): bigint => offsets.reduce((a, b) => (b > a ? b : a));

// How far a consumer has read its topics, as the broker tells.
import type { EventLog } from "./ports.ts";

export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  /** The next offset that is read. Undefined: the group has not begun. */
  readonly committed: bigint | undefined;
  /** The offset that the next record gets. */
  readonly end: bigint;
  /** Records that are still to be read. */
  readonly lag: bigint;
}

/** Of each partition of the topics. Rejects where the broker does not answer. */
export async function readProgress(
  log: EventLog,
  group: string,
  topics: readonly string[],
): Promise<PartitionProgress[]> {
  const all = await Promise.all(
    topics.map(async (topic) => {
      const [ranges, committed] = await Promise.all([
        log.ranges(topic),
        log.committed(group, topic),
      ]);
      return [...ranges].map(([partition, { from, end }]) => {
        const next = committed.get(partition);
        return { topic, partition, committed: next, end, lag: lagOf(next, from, end) };
      });
    }),
  );
  return all.flat().toSorted((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
}

/** What the topic has forgotten is not still to be read; a topic that was made anew is shorter than the commit. */
function lagOf(committed: bigint | undefined, from: bigint, end: bigint): bigint {
  const next = committed === undefined || committed < from ? from : committed;
  return next > end ? 0n : end - next;
}

// A consumer group in memory: who has which partition, and how far each one was committed.
import type { MemoryPartition } from "./memory-topic.ts";

export interface GroupMember {
  readonly topics: readonly string[];
  /** Begin to read the partition, as soon as `before`, which the last owner still does, is over. */
  take(partition: MemoryPartition, lease: Lease): void;
}

/** The right to read a partition, until it is revoked. */
export interface Lease {
  readonly revoked: AbortSignal;
  /** The end of what the partition's last owner still does. */
  readonly before: Promise<void>;
  /** The next owner waits for this, but no longer than a rebalance takes. */
  finished(work: Promise<void>): void;
  /** Where to begin. */
  next(): bigint;
  /** Without effect once the lease is revoked. */
  commit(next: bigint): void;
}

interface Held {
  readonly member: GroupMember;
  readonly revoke: AbortController;
  work: Promise<void>;
}

export class MemoryGroup {
  readonly #members = new Set<GroupMember>();
  readonly #held = new Map<MemoryPartition, Held>();
  readonly #committed = new Map<MemoryPartition, bigint>();
  readonly #partitionsOf: (topic: string) => readonly MemoryPartition[];

  constructor(partitionsOf: (topic: string) => readonly MemoryPartition[]) {
    this.#partitionsOf = partitionsOf;
  }

  join(member: GroupMember): void {
    this.#members.add(member);
    this.deal();
  }

  leave(member: GroupMember): void {
    this.#members.delete(member);
    this.deal();
  }

  committed(partition: MemoryPartition): bigint | undefined {
    return this.#committed.get(partition);
  }

  /** Deals the partitions in turn, in the order in which the members joined. Only those that move are revoked. */
  deal(): void {
    const topics = new Set([...this.#members].flatMap(({ topics: of }) => of));
    for (const topic of topics) {
      const readers = [...this.#members].filter((member) => member.topics.includes(topic));
      for (const [index, partition] of this.#partitionsOf(topic).entries())
        this.#give(partition, readers[index % readers.length]);
    }
    for (const [partition, { member }] of this.#held)
      if (!this.#members.has(member)) this.#give(partition, undefined);
  }

  #give(partition: MemoryPartition, member: GroupMember | undefined): void {
    const held = this.#held.get(partition);
    if (held !== undefined && held.member === member) return;
    held?.revoke.abort();
    this.#held.delete(partition);
    if (member === undefined) return;
    const revoke = new AbortController();
    const mine: Held = { member, revoke, work: Promise.resolve() };
    this.#held.set(partition, mine);
    member.take(partition, {
      revoked: revoke.signal,
      before: held?.work ?? Promise.resolve(),
      finished: (work) => void (mine.work = work),
      next: () => this.#next(partition),
      commit: (next) => {
        if (!revoke.signal.aborted) this.#committed.set(partition, next);
      },
    });
  }

  /** The earliest record for a group that is new, or whose place the topic has forgotten. */
  #next(partition: MemoryPartition): bigint {
    const next = this.#committed.get(partition);
    return next === undefined || next < partition.start || next > partition.end
      ? partition.start
      : next;
  }
}

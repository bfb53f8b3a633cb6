// A member of a consumer group, as an adapter of a Kafka client gives it to the consumer port.
import type { InRecord } from "./ports.ts";

/** A batch as the client library gives it. */
export interface MemberBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly InRecord[];
  /** Rejects when the group goes on without this member. */
  heartbeat(): Promise<void>;
  /** The next fetch begins after this offset. */
  resolve(offset: bigint): void;
  commit(next: bigint): Promise<void>;
  /** No more of this partition, until what it returns is called. Does nothing once the member is gone. */
  pause(): () => void;
}

export interface MemberEvents {
  onBatch(batch: MemberBatch): Promise<void>;
  onFetch(): void;
  /** The partitions are dealt anew; `mine` says which ones this member has. */
  onGeneration(mine: (topic: string, partition: number) => boolean): void;
  onCrash(error: Error): void;
}

/** One membership of the group, from joining to leaving. */
export interface Member {
  start(): Promise<void>;
  /** Also a member that is still joining leaves: as soon as it has joined. */
  stop(): Promise<void>;
}

export type NewMember = (group: string, topics: readonly string[], events: MemberEvents) => Member;

/**
 * A member that joins and leaves so. Clients let nobody leave who is still joining: they would join all the same, and
 * hold partitions in silence. So leaving waits for that.
 */
export function memberOf(join: () => Promise<void>, leave: () => Promise<void>): Member {
  let joining = Promise.resolve();
  return {
    start: () => (joining = join()),
    async stop() {
      await joining.catch(() => undefined); // who started it hears of it
      await leave();
    },
  };
}

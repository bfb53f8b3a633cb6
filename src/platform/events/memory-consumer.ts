// The consumer port in memory: a member of a group, with one loop for each partition that it has.
import { setImmediate as breathe, setTimeout as wait } from "node:timers/promises";
import { underlying } from "./failure.ts";
import { backoffMs, within } from "./loop.ts";
import type { GroupMember, Lease, MemoryGroup } from "./memory-group.ts";
import type { MemoryPartition } from "./memory-topic.ts";
import type { BatchControl, ConsumerRun, EventConsumer, EventsLog, InRecord } from "./ports.ts";

const BATCH_RECORDS = 500;
/** So long a stop waits for the batches at work. */
const DRAIN_LIMIT_MS = 8_500;

interface Around {
  readonly groupOf: (name: string) => MemoryGroup;
  readonly log: EventsLog;
  /** So long the next owner of a partition waits for the batch of the last one. */
  readonly rebalanceMs: number;
}

export function createMemoryConsumer(around: Around): EventConsumer {
  return {
    async run(o) {
      if (o.signal.aborted) return;
      const loops = new Set<Promise<void>>();
      const member: GroupMember = {
        topics: o.topics,
        take(partition, lease) {
          const loop = readPartition(o, partition, lease, around);
          loops.add(loop);
          void loop.finally(() => loops.delete(loop));
        },
      };
      const group = around.groupOf(o.group);
      group.join(member);
      const { promise: stopped, resolve } = Promise.withResolvers<void>();
      o.signal.addEventListener("abort", () => resolve(), { once: true });
      await stopped;
      await within(DRAIN_LIMIT_MS, Promise.all(loops));
      group.leave(member);
    },
  };
}

async function readPartition(
  o: ConsumerRun,
  partition: MemoryPartition,
  lease: Lease,
  around: Around,
): Promise<void> {
  const signal = AbortSignal.any([o.signal, lease.revoked]);
  await within(around.rebalanceMs, lease.before);
  while (!signal.aborted) {
    const records = partition.read(lease.next(), BATCH_RECORDS);
    if (records.length === 0) {
      await partition.reaches(hole(partition, lease), signal);
      continue;
    }
    const work = runBatch(o, records, { signal, commit: (next) => lease.commit(next) }, around.log);
    lease.finished(work.then(() => undefined));
    const pauseMs = await work;
    if (pauseMs > 0) await wait(pauseMs, undefined, { signal, ref: false }).catch(() => undefined); // it aborted
    else await breathe(); // what is not committed comes again at once, but others must get on
  }
}

/** Nothing is there from the next offset to the end: what is behind the end is waited for. */
const hole = (partition: MemoryPartition, lease: Lease): bigint => {
  const next = lease.next();
  return next > partition.end ? next : partition.end;
};

/** Returns how many milliseconds the handler wants the partition to rest. Never rejects. */
async function runBatch(
  o: ConsumerRun,
  records: readonly InRecord[],
  way: { readonly signal: AbortSignal; commit(next: bigint): void },
  log: EventsLog,
): Promise<number> {
  const [first] = records;
  if (first === undefined) return 0;
  const { topic, partition } = first;
  let over = false;
  let committed = -1n;
  let pauseMs = 0;
  const control: BatchControl = {
    signal: way.signal,
    async commit(next) {
      if (over || next <= committed) return;
      committed = next;
      way.commit(next);
    },
    pause(milliseconds) {
      if (!over) pauseMs = Math.max(pauseMs, milliseconds);
    },
  };
  try {
    await o.onBatch({ topic, partition, records }, control);
  } catch (error) {
    const fields = { topic, partition, error: underlying(error) };
    log.error(fields, "a batch was not finished and is read again");
    pauseMs = Math.max(pauseMs, backoffMs(1));
  }
  over = true;
  return pauseMs;
}

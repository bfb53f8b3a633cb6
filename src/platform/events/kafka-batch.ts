// The batches of one membership: heartbeats while they run, commits that count only while the partition is ours.
import { underlying } from "./failure.ts";
import { backoffMs } from "./loop.ts";
import type { MemberBatch } from "./kafka-member.ts";
import type { BatchControl, ConsumerRun, EventsLog } from "./ports.ts";

const HEARTBEAT_MS = 1_000;

export interface BatchWork {
  run(batch: MemberBatch): Promise<void>;
  /** The batches at work may belong to another member now: they end, and commit nothing. */
  revoke(mine: (topic: string, partition: number) => boolean): void;
  /** The batches at work end soon and commit what they did; later ones are not begun. */
  drain(): Promise<true>;
  /** Commits once more what failed to: on a partition where nothing follows, nothing else would. */
  commitAgain(): void;
  busy(): boolean;
}

const placeOf = ({ topic, partition }: MemberBatch): string => `${topic}/${partition}`;

/** `turns` outlives the membership: a handler may, too, and the next batch of its partition waits for it. */
export function createBatchWork(
  o: ConsumerRun,
  turns: Map<string, Promise<void>>,
  log: EventsLog,
): BatchWork {
  const running = new Map<AbortController, Promise<void>>();
  const commits = createCommits(log);
  let generation = 0;
  let isMine = (_topic: string, _partition: number): boolean => true;
  let draining = false;
  const abortAll = (): void => {
    for (const controller of running.keys()) controller.abort();
  };

  return {
    async run(batch) {
      if (draining) return void batch.pause(); // else it would be fetched over and over until the member has left
      if (!isMine(batch.topic, batch.partition)) return;
      const controller = new AbortController();
      const mine = generation;
      const work = runBatch(o, log, batch, {
        controller,
        before: turns.get(placeOf(batch)),
        revoked: () => generation !== mine,
        lost: abortAll,
        commit: (next) => commits.send(batch, next),
      });
      running.set(controller, work);
      turns.set(placeOf(batch), work);
      await work.finally(() => running.delete(controller));
      if (turns.get(placeOf(batch)) === work) turns.delete(placeOf(batch));
    },
    revoke(mine) {
      generation += 1;
      isMine = mine;
      commits.forget();
      abortAll();
    },
    async drain() {
      draining = true;
      abortAll();
      await Promise.allSettled(running.values()); // each has logged its own
      return true;
    },
    commitAgain: commits.again,
    busy: () => running.size > 0,
  };
}

interface Commits {
  /** Never rejects. */
  readonly send: (batch: MemberBatch, next: bigint) => Promise<void>;
  readonly again: () => void;
  /** What failed is not ours to commit any more. */
  readonly forget: () => void;
}

function createCommits(log: EventsLog): Commits {
  let owed = new Map<string, { readonly batch: MemberBatch; readonly next: bigint }>();
  const send = async (batch: MemberBatch, next: bigint): Promise<void> => {
    const { topic, partition } = batch;
    const place = placeOf(batch);
    const mine = owed;
    const before = mine.get(place);
    try {
      await batch.commit(next);
      if (mine.get(place) === before) mine.delete(place);
    } catch (error) {
      const fields = { topic, partition, error: underlying(error) };
      if (before === undefined) log.warn(fields, "an offset was not committed yet");
      const later = mine.get(place);
      if (later === undefined || later.next <= next) mine.set(place, { batch, next });
    }
  };
  let trying = false;
  const again = async (): Promise<void> => {
    if (trying) return;
    trying = true;
    await Promise.all([...owed.values()].map(({ batch, next }) => send(batch, next)));
    trying = false;
  };
  return {
    send,
    again: () => void again(),
    forget: () => void (owed = new Map()),
  };
}

interface Life {
  readonly controller: AbortController;
  /** The batch of the partition before this one, where it still runs. */
  readonly before: Promise<void> | undefined;
  /** Whether the partition may be another member's by now. */
  revoked(): boolean;
  /** The group goes on without this member. */
  readonly lost: () => void;
  commit(next: bigint): Promise<void>;
}

/** Never rejects: what is thrown into the client library ends the member, sometimes in silence. */
async function runBatch(
  o: ConsumerRun,
  log: EventsLog,
  batch: MemberBatch,
  life: Life,
): Promise<void> {
  const { topic, partition, records } = batch;
  const { signal } = life.controller;
  const batchControl = createControl(batch, life);
  // The library sends heartbeats only when asked. It asks once more after the batch, and then joins anew if need be.
  const timer = setInterval(() => void batch.heartbeat().catch(life.lost), HEARTBEAT_MS);
  try {
    await life.before;
    if (!signal.aborted) await o.onBatch({ topic, partition, records }, batchControl.control);
  } catch (error) {
    log.error(
      { topic, partition, error: underlying(error) },
      "a batch was not finished and is read again",
    );
    batchControl.control.pause(backoffMs(1));
  } finally {
    batchControl.end();
    clearInterval(timer);
  }
}

function createControl(
  batch: MemberBatch,
  life: Life,
): { readonly control: BatchControl; end(): void } {
  let over = false;
  let committed = -1n;
  let dueAt = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    end: () => void (over = true),
    control: {
      signal: life.controller.signal,
      async commit(next) {
        if (over || life.revoked() || next <= committed) return;
        committed = next;
        batch.resolve(next - 1n);
        await life.commit(next);
      },
      pause(milliseconds) {
        if (over || performance.now() + milliseconds <= dueAt) return;
        dueAt = performance.now() + milliseconds;
        clearTimeout(timer);
        timer = setTimeout(batch.pause(), milliseconds).unref();
      },
    },
  };
}

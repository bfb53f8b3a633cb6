// The consumer port on Kafka: keeps a member in the group, and builds a new one when the old one is lost.
import { once } from "node:events";
import { underlying } from "./failure.ts";
import { backoffMs, within } from "./loop.ts";
import type { BatchControl, ConsumerRun, EventConsumer, EventsLog, InRecord } from "./ports.ts";

/** A member that fetched nothing for so long, with no batch at work, hangs. An empty fetch takes half a second. */
const SILENCE_LIMIT_MS = 60_000;
const WATCH_EVERY_MS = 5_000;
/** A member that lived so long is not counted among the failures in a row. */
const HEALTHY_MS = 30_000;
/** Joining again rests no longer than this: the library's own retries lie between two tries. */
const REJOIN_LIMIT_MS = 500;
const HEARTBEAT_MS = 1_000;
/** Of a stop: for the batches that are at work, then for leaving the group. */
const DRAIN_LIMIT_MS = 5_000;
const LEAVE_LIMIT_MS = 3_500;

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
  /** No more of this partition, until what it returns is called. */
  pause(): () => void;
}

export interface MemberEvents {
  onBatch(batch: MemberBatch): Promise<void>;
  onFetch(): void;
  /** The partitions were dealt anew. */
  onGeneration(): void;
  onCrash(error: Error): void;
}

/** One membership of the group, from joining to leaving. */
export interface Member {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export type NewMember = (group: string, topics: readonly string[], events: MemberEvents) => Member;

export function createKafkaConsumer(newMember: NewMember, log: EventsLog): EventConsumer {
  return {
    async run(o) {
      for (let failures = 0; !o.signal.aborted;) {
        const born = performance.now();
        try {
          await live(newMember, o, log);
        } catch (error) {
          failures = performance.now() - born > HEALTHY_MS ? 1 : failures + 1;
          log.error(
            { group: o.group, failures, error: underlying(error) },
            "the group was lost and is joined anew",
          );
          await rest(Math.min(backoffMs(failures), REJOIN_LIMIT_MS), o.signal);
        }
      }
    },
  };
}

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await within(milliseconds, once(signal, "abort"));
}

/** One membership. Resolves when the signal aborts, rejects when the member is lost. */
async function live(newMember: NewMember, o: ConsumerRun, log: EventsLog): Promise<void> {
  const work = createWork(o, log);
  const lost = Promise.withResolvers<never>();
  let lastFetch = performance.now();
  const member = newMember(o.group, o.topics, {
    onBatch: (batch) => work.run(batch),
    onFetch: () => void (lastFetch = performance.now()),
    onGeneration: () => work.revoke(),
    onCrash: lost.reject,
  });
  const watch = setInterval(() => {
    if (work.busy()) lastFetch = performance.now();
    const silence = performance.now() - lastFetch;
    if (silence > SILENCE_LIMIT_MS)
      lost.reject(new Error(`No fetch for ${Math.round(silence)} ms.`));
  }, WATCH_EVERY_MS);
  const stopped = once(o.signal, "abort");
  try {
    await Promise.race([member.start().then(() => lost.promise), lost.promise, stopped]);
  } finally {
    clearInterval(watch);
    const drained = await within(DRAIN_LIMIT_MS, work.drain());
    const left = await within(
      LEAVE_LIMIT_MS,
      member.stop().then(() => true),
    );
    if (drained === undefined || left === undefined) {
      log.warn(
        { group: o.group, drained: drained === true },
        "the group was left without saying so",
      );
    }
  }
}

interface Work {
  run(batch: MemberBatch): Promise<void>;
  /** The batches at work may belong to another member now: they end, and commit nothing. */
  revoke(): void;
  /** The batches at work end soon and commit what they did; later ones are not begun. */
  drain(): Promise<true>;
  busy(): boolean;
}

function createWork(o: ConsumerRun, log: EventsLog): Work {
  const running = new Map<AbortController, Promise<void>>();
  let generation = 0;
  let draining = false;
  const abortAll = (): void => {
    for (const controller of running.keys()) controller.abort();
  };
  return {
    async run(batch) {
      if (draining) return;
      const controller = new AbortController();
      const mine = generation;
      const work = runBatch(o, log, batch, { controller, revoked: () => generation !== mine });
      running.set(controller, work);
      await work.finally(() => running.delete(controller));
    },
    revoke() {
      generation += 1;
      abortAll();
    },
    async drain() {
      draining = true;
      abortAll();
      await Promise.allSettled(running.values()); // each has logged its own
      return true;
    },
    busy: () => running.size > 0,
  };
}

/** Never rejects: what is thrown into the client library ends the member, sometimes in silence. */
async function runBatch(
  o: ConsumerRun,
  log: EventsLog,
  batch: MemberBatch,
  life: { readonly controller: AbortController; revoked(): boolean },
): Promise<void> {
  const { topic, partition, records } = batch;
  let committed: bigint | undefined;
  const control: BatchControl = {
    signal: life.controller.signal,
    async commit(next) {
      if (life.revoked() || next === committed) return;
      committed = next;
      try {
        batch.resolve(next - 1n);
        await batch.commit(next);
      } catch (error) {
        log.warn({ topic, partition, error: underlying(error) }, "an offset was not committed");
      }
    },
    pause(milliseconds) {
      setTimeout(batch.pause(), milliseconds).unref();
    },
  };
  // The library sends heartbeats only when asked. It asks once more after the batch, and then joins anew if need be.
  const beat = (): void => void batch.heartbeat().catch(() => life.controller.abort());
  const timer = setInterval(beat, HEARTBEAT_MS);
  try {
    await o.onBatch({ topic, partition, records }, control);
  } catch (error) {
    log.error(
      { topic, partition, error: underlying(error) },
      "a batch was not finished and is read again",
    );
    control.pause(backoffMs(1));
  } finally {
    clearInterval(timer);
  }
}

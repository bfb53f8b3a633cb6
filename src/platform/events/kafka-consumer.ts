// The consumer port on Kafka: keeps a member in the group, and builds a new one when the old one is lost.
import { once } from "node:events";
import { createBatchWork } from "./kafka-batch.ts";
import { underlying } from "./failure.ts";
import { backoffMs, within } from "./loop.ts";
import type { NewMember } from "./kafka-member.ts";
import type { ConsumerRun, EventConsumer, EventsLog } from "./ports.ts";

/** A member that neither fetched nor joined for so long, with no batch at work, hangs. An empty fetch takes half a second. */
const SILENCE_LIMIT_MS = 20_000;
const WATCH_EVERY_MS = 2_000;
/** A member that lived so long is not counted among the failures in a row. */
const HEALTHY_MS = 30_000;
/** Joining again rests no longer than this: the library's own retries lie between two tries. */
const REJOIN_LIMIT_MS = 500;
/** Of a stop: for the batches that are at work, then for leaving the group. */
const DRAIN_LIMIT_MS = 5_000;
const LEAVE_LIMIT_MS = 3_500;

export function createKafkaConsumer(newMember: NewMember, log: EventsLog): EventConsumer {
  return {
    async run(o) {
      if (o.signal.aborted) return;
      const stopped = once(o.signal, "abort");
      const running: Running = { o, stopped, turns: new Map() };
      for (let failures = 0; !o.signal.aborted;) {
        const born = performance.now();
        try {
          await live(newMember, running, log);
        } catch (error) {
          failures = performance.now() - born > HEALTHY_MS ? 1 : failures + 1;
          log.error(
            { group: o.group, failures, error: underlying(error) },
            "the group was lost and is joined anew",
          );
          await within(Math.min(backoffMs(failures), REJOIN_LIMIT_MS), stopped);
        }
      }
    },
  };
}

/** What outlives the members. */
interface Running {
  readonly o: ConsumerRun;
  readonly stopped: Promise<unknown>;
  /** The batch at work of each partition. */
  readonly turns: Map<string, Promise<void>>;
}

/** One membership. Resolves when the signal aborts, rejects when the member is lost. */
async function live(
  newMember: NewMember,
  { o, stopped, turns }: Running,
  log: EventsLog,
): Promise<void> {
  const work = createBatchWork(o, turns, log);
  const lost = Promise.withResolvers<never>();
  let lastFetch = performance.now();
  const member = newMember(o.group, o.topics, {
    onBatch: (batch) => work.run(batch),
    onFetch: () => {
      lastFetch = performance.now();
      work.commitAgain();
    },
    onGeneration: (mine) => {
      lastFetch = performance.now();
      work.revoke(mine);
    },
    onCrash: lost.reject,
  });
  const watch = setInterval(() => {
    if (work.busy()) lastFetch = performance.now();
    const silence = performance.now() - lastFetch;
    if (silence > SILENCE_LIMIT_MS)
      lost.reject(new Error(`No fetch for ${Math.round(silence)} ms.`));
  }, WATCH_EVERY_MS);
  try {
    await Promise.race([member.start().then(() => lost.promise), lost.promise, stopped]);
  } finally {
    clearInterval(watch);
    const drained = await within(DRAIN_LIMIT_MS, work.drain());
    const left = await within(
      LEAVE_LIMIT_MS,
      member.stop().then(() => true),
    );
    work.revoke(() => false); // a handler that did not end speaks for nobody
    if (drained === undefined || left === undefined) {
      log.warn(
        { group: o.group, drained: drained === true },
        "the group was left without saying so",
      );
    }
  }
}

// The log port on Kafka: reads a topic through a group of its own that is thrown away, and commits nothing.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { underlying } from "./failure.ts";
import { backoffMs, within } from "./loop.ts";
import type { EventLog, EventsLog, InRecord, OffsetRange } from "./ports.ts";
import { createProgress, type Progress } from "./read-progress.ts";

/** Without progress for so long, it is looked whether the topic has forgotten what is waited for. */
const LOOK_EVERY_MS = 2_000;
/** So many looks without progress end a read: something keeps the rest of the range from us. */
const LOOKS_LIMIT = 15;
/** So many members lost in a row, without a record between them, end a read. */
const LOST_LIMIT = 5;
const HEARTBEAT_MS = 1_000;
const LEAVE_LIMIT_MS = 5_000;

/** What is read of a partition at a time, as the client library gives it. */
export interface ReaderBatch {
  readonly partition: number;
  readonly records: readonly InRecord[];
  heartbeat(): Promise<void>;
}

export interface ReaderEvents {
  /** The offsets to begin at, asked for whenever the partitions were dealt; the other partitions are not read. */
  positions(): ReadonlyMap<number, bigint>;
  /** Must not throw. One batch at a time. */
  onBatch(batch: ReaderBatch): Promise<void>;
  /** Everything before this offset has been passed, also what holds no record. */
  onPassed(partition: number, next: bigint): void;
  onCrash(error: Error): void;
}

/** A member of a group that nobody else is in. */
export interface Reader {
  start(): Promise<void>;
  /** No more of this partition. */
  finish(partition: number): void;
  stop(): Promise<void>;
}

/** What is asked of the client library. Offsets are decimal; -1 says that there is none. */
export interface LogSource {
  offsets(topic: string): Promise<{ partition: number; low: string; high: string }[]>;
  offsetsSince(topic: string, time: Date): Promise<{ partition: number; offset: string }[]>;
  committed(group: string, topic: string): Promise<{ partition: number; offset: string }[]>;
  forgetGroup(group: string): Promise<void>;
  newReader(group: string, topic: string, events: ReaderEvents): Reader;
}

/** Questions that a broker cannot answer yet, such as when a partition has just moved, are asked so often. */
const TRIES_LIMIT = 6;

type ReadRequest = Parameters<EventLog["read"]>[0];

export function createKafkaLog(source: LogSource, clientId: string, log: EventsLog): EventLog {
  return {
    async ranges(topic, since) {
      const held = await patiently(() => source.offsets(topic));
      const begins = new Map<number, bigint>();
      const found = since ? await patiently(() => source.offsetsSince(topic, since)) : [];
      for (const { partition, offset } of found) begins.set(partition, BigInt(offset));
      return new Map(
        held.map(({ partition, low, high }): [number, OffsetRange] => {
          const end = BigInt(high);
          return [partition, { from: least(begins.get(partition) ?? BigInt(low), end), end }];
        }),
      );
    },
    async committed(group, topic) {
      const offsets = await patiently(() => source.committed(group, topic));
      return new Map(
        offsets
          .map(({ partition, offset }): [number, bigint] => [partition, BigInt(offset)])
          .filter(([, next]) => next >= 0n),
      );
    },
    async read(o) {
      o.signal.throwIfAborted();
      const progress = createProgress(o.ranges);
      await skipForgotten(source, o.topic, progress);
      if (progress.done()) return;
      const group = `${clientId}.read-${randomUUID()}`;
      try {
        await readOn(source, group, o, progress);
      } finally {
        // The broker forgets an empty group by itself, later.
        await within(
          LEAVE_LIMIT_MS,
          patiently(() => source.forgetGroup(group)),
        ).catch((error: unknown) =>
          log.warn({ group, error: underlying(error) }, "a group made for reading was left behind"),
        );
      }
    },
  };
}

/** The library gives up at once on a partition whose leader it does not know any more, and on more such. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const mayPass = error instanceof Error && "retriable" in error && error.retriable === true;
      if (!mayPass || tries >= TRIES_LIMIT) throw error;
    }
    await wait(backoffMs(tries));
  }
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** A partition whose records before an offset are gone, perhaps all, begins there. Throws for one that is not there. */
async function skipForgotten(source: LogSource, topic: string, progress: Progress): Promise<void> {
  const lows = new Map(
    (await patiently(() => source.offsets(topic))).map(({ partition, low }) => [
      partition,
      BigInt(low),
    ]),
  );
  for (const partition of progress.open()) {
    const low = lows.get(partition);
    if (low === undefined)
      throw new RangeError(`The topic ${topic} has no partition ${partition}.`);
    progress.passed(partition, low);
  }
}

/** One member after the other, each from where the last one came to. */
async function readOn(
  source: LogSource,
  group: string,
  o: ReadRequest,
  progress: Progress,
): Promise<void> {
  for (let lost = 0; !progress.done();) {
    const before = progress.steps();
    try {
      await readAsMember(source, group, o, progress);
      return;
    } catch (error) {
      if (!(error instanceof LostReaderError)) throw error;
      lost = progress.steps() > before ? 1 : lost + 1;
      if (lost >= LOST_LIMIT) throw error.cause;
      await within(backoffMs(lost), once(o.signal, "abort"));
      o.signal.throwIfAborted();
    }
  }
}

/** The member is gone, and another one may go on. */
class LostReaderError extends Error {
  override readonly name = "LostReaderError";
}

async function readAsMember(
  source: LogSource,
  group: string,
  o: ReadRequest,
  progress: Progress,
): Promise<void> {
  const ended = Promise.withResolvers<"done">();
  ended.promise.catch(() => undefined); // looked at below, perhaps not any more
  let failed = false;
  let busy = false;
  let call = Promise.resolve();
  // The call at work ends first: the next member may have to give the same records again.
  const lost = (error: unknown): void =>
    void call.then(() =>
      ended.reject(new LostReaderError("The reader was lost.", { cause: error })),
    );
  const pass = (partition: number, next: bigint): void => {
    progress.passed(partition, next);
    if (progress.isOpen(partition)) return;
    reader.finish(partition);
    if (progress.done()) ended.resolve("done");
  };
  const reader = source.newReader(group, o.topic, {
    positions: () => progress.positions(),
    async onBatch(batch) {
      const { partition, records } = batch;
      const wanted = progress.wanted(partition, records);
      const last = wanted.at(-1);
      if (failed || last === undefined) return;
      const timer = setInterval(() => void batch.heartbeat().catch(lost), HEARTBEAT_MS);
      try {
        busy = true;
        const given = o.onRecords(wanted);
        call = given.catch(() => undefined); // told below
        await given;
        pass(partition, last.offset + 1n);
      } catch (error) {
        failed = true;
        ended.reject(error);
      } finally {
        busy = false;
        clearInterval(timer);
      }
    },
    onPassed: (partition, next) => {
      if (!failed) pass(partition, next);
    },
    onCrash: lost,
  });
  const aborted = (): void => ended.reject(o.signal.reason);
  o.signal.addEventListener("abort", aborted);
  try {
    void reader.start().catch(lost);
    await watch(source, o.topic, progress, { ended: ended.promise, isBusy: () => busy });
  } finally {
    failed = true;
    o.signal.removeEventListener("abort", aborted);
    await within(LEAVE_LIMIT_MS, reader.stop());
  }
}

/** Waits for the end, and looks now and then whether it can come at all. */
async function watch(
  source: LogSource,
  topic: string,
  progress: Progress,
  member: { readonly ended: Promise<"done">; isBusy(): boolean },
): Promise<void> {
  let seen = progress.steps();
  for (let looks = 0; (await within(LOOK_EVERY_MS, member.ended)) === undefined;) {
    looks = progress.steps() > seen || member.isBusy() ? 0 : looks + 1;
    seen = progress.steps();
    if (looks === 0) continue;
    await skipForgotten(source, topic, progress);
    if (progress.done()) return;
    if (looks < LOOKS_LIMIT) continue;
    const [partition] = progress.open();
    throw new Error(
      `Reading ${topic} stands still before the end of partition ${partition}: nothing came for ` +
        `${(LOOKS_LIMIT * LOOK_EVERY_MS) / 1000} s. Ask for its ranges again, and read from there.`,
    );
  }
}

// Reads topics for a service: every event is applied once, in the order of its key, whatever fails in between.
import type { Application, IgnoredEvent } from "./apply.ts";
import { applyChunk, CHUNK_EVENTS, type ChunkParts } from "./chunk.ts";
import { createCrashCount } from "./crash-count.ts";
import { underlying } from "./failure.ts";
import { startHeldRetry } from "./held-retry.ts";
import { inboxHours, startInboxPruning } from "./inbox.ts";
import { chunksByLane, createLanes, type Lanes } from "./lane.ts";
import { backoffMs, within } from "./loop.ts";
import type { BatchControl, EventConsumer, EventsLog, PartitionBatch } from "./ports.ts";
import { receive, type ReceivedEvent } from "./received.ts";
import type { Database, Transaction } from "./schema.ts";
import { namespaced, streamOf } from "./stream.ts";
import type { ErrorKind, Subscription } from "./subscription.ts";
import { Watermark } from "./watermark.ts";

export type { ErrorKind, Subscription } from "./subscription.ts";

/** How many transactions of a consumer run at the same time. The connection pool must have more. */
const LANES = 4;
const COMMIT_EVERY_MS = 1_000;
const HOLD_LIMIT_MS = 24 * 60 * 60 * 1000;
const STOP_LIMIT_MS = 9_500;

export interface Consumer extends AsyncDisposable {
  /** Held events may have found their ground. */
  wake(): void;
  /** How it applies events, for those who read them elsewhere. */
  readonly parts: ChunkParts;
  /** Rejects when the consumer cannot go on: the service should end, and be started anew. */
  readonly failed: Promise<never>;
}

export interface ConsumerOptions {
  /** The service: "notification". Names the consumer group and the rows of the inbox. */
  readonly name: string;
  readonly namespace: string;
  readonly db: Database;
  readonly broker: EventConsumer;
  readonly subscriptions: readonly Subscription[];
  classify(error: unknown): ErrorKind;
  /** Runs a handler in the trace of its event. */
  runInTrace?<T>(traceparent: string | undefined, work: () => Promise<T>): Promise<T>;
  readonly log: EventsLog;
  /** Writes down, in the transaction that takes them, why events changed nothing: each once. */
  noteIgnored?(tx: Transaction, events: readonly IgnoredEvent[]): Promise<void>;
  /** Hears of every commit: there may be work that its effects left to do. */
  onCommit?(): void;
  readonly lanes?: number;
  /** How long an event may wait for its ground before it is dead. */
  readonly holdLimitMs?: number;
  /** How long it is remembered which events were taken. Default: the longest retention of the topics and a week. */
  readonly inboxHours?: number | undefined;
}

interface Reading extends ChunkParts {
  readonly lanes: Lanes;
  /** Failures in a row, by topic and partition. */
  readonly failures: Map<string, number>;
}

/** Throws a RetentionError where the inbox would forget sooner than a topic does. */
export async function startConsumer(o: ConsumerOptions): Promise<Consumer> {
  const streams = o.subscriptions.map((subscription) => ({
    subscription,
    stream: streamOf(subscription.schema, o.namespace),
  }));
  const app: Application = {
    consumer: o.name,
    subscriptions: new Map(streams.map(({ subscription, stream }) => [stream.topic, subscription])),
    runInTrace: (traceparent, work) => (o.runInTrace ? o.runInTrace(traceparent, work) : work()),
    log: o.log,
    onCommit: () => o.onCommit?.(),
    noteIgnored: async (tx, events) => {
      if (events.length > 0) await o.noteIgnored?.(tx, events);
    },
  };
  const { db, log } = o;
  const classify = (error: unknown): ErrorKind => o.classify(error);
  const holdLimitMs = o.holdLimitMs ?? HOLD_LIMIT_MS;
  const keepHours = inboxHours(
    streams.map(({ stream }) => stream),
    o.inboxHours,
  );
  const crashes = createCrashCount(db, o.name, log);
  const held = startHeldRetry({ app, db, crashes, classify, holdLimitMs });
  const loops = [...held.loops, startInboxPruning({ db, consumer: o.name, keepHours, log })];
  const reading: Reading = {
    app,
    db,
    crashes,
    lanes: createLanes(o.lanes ?? LANES),
    classify,
    wakeHeld: held.wake,
    failures: new Map(),
  };
  const stopping = new AbortController();
  const running = o.broker.run({
    group: namespaced(o.namespace, o.name),
    topics: [...app.subscriptions.keys()],
    signal: stopping.signal,
    onBatch: (batch, control) => readBatch(reading, batch, control),
  });
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // who starts a consumer may not look at it
  void Promise.all([running, ...loops.map((loop) => loop.done)]).catch(reject);
  return {
    failed,
    wake: held.wake,
    parts: reading,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      const ended = Promise.allSettled([running, ...loops.map((loop) => loop.stop())]); // `failed` tells of errors
      if ((await within(STOP_LIMIT_MS, ended)) === undefined) {
        log.warn({ consumer: o.name }, "the consumer was left with a handler that did not end");
        return;
      }
      await crashes.leaveAll();
    },
  };
}

/** Applies a batch lane by lane, and commits how far it got, every second and at the end. */
async function readBatch(r: Reading, batch: PartitionBatch, control: BatchControl): Promise<void> {
  const schema = r.app.subscriptions.get(batch.topic)?.schema;
  if (schema === undefined) return;
  const events = batch.records.map((record) => receive(record, schema));
  const watermark = new Watermark(batch.records.map((record) => record.offset));
  const commit = async (): Promise<void> => {
    const next = watermark.next();
    if (next !== undefined) await control.commit(next);
  };
  const timer = setInterval(() => void commit(), COMMIT_EVERY_MS);
  const failed: unknown[] = [];
  const stopped = (): boolean => control.signal.aborted || failed.length > 0;
  const lanes = chunksByLane(events, (event) => r.lanes.laneOf(event.meta.key), CHUNK_EVENTS);
  const runLane = async (lane: number, chunks: readonly ReceivedEvent[][]): Promise<void> => {
    for (const chunk of chunks) {
      await r.lanes.run(lane, async () => {
        if (!stopped()) await applyChunk(r, chunk, (event) => watermark.done(event.meta.offset));
      });
      if (stopped()) return;
    }
  };
  await Promise.all(
    [...lanes].map(([lane, chunks]) =>
      runLane(lane, chunks).catch((error: unknown) => void failed.push(error)),
    ),
  );
  clearInterval(timer);
  await commit();
  const place = `${batch.topic}/${batch.partition}`;
  if (failed.length === 0) return void r.failures.delete(place);
  // Whatever was applied before it failed again says that what was away came back meanwhile.
  const failures = (watermark.next() === undefined ? (r.failures.get(place) ?? 0) : 0) + 1;
  r.failures.set(place, failures);
  const error = underlying(failed[0]);
  r.app.log.warn(
    { topic: batch.topic, partition: batch.partition, failures, error },
    "a partition is paused",
  );
  control.pause(backoffMs(failures));
}

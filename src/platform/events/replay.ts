// Reads a part of a topic again: what the consumer never took is applied, as if it had just come.
import { sql } from "drizzle-orm";
import type { Verdict } from "./apply.ts";
import { applyChunk, CHUNK_EVENTS, repeatEvent, type ChunkParts } from "./chunk.ts";
import { underlying } from "./failure.ts";
import { heldTopicsOf } from "./held.ts";
import type { EventLog, InRecord, OffsetRange } from "./ports.ts";
import { receive, type ReceivedEvent } from "./received.ts";
import type { Ranges } from "./replay-range.ts";
import { heldEvent, inbox, type Database } from "./schema.ts";
import type { Subscription } from "./subscription.ts";

/** Records that are looked up together, and done before it is looked whether there is time for more. */
const LOOKUP_RECORDS = 100;
/** A call reads no more than about so many records, however much time it has. */
const CALL_LIMIT_RECORDS = 100_000;

export interface ReplayOptions {
  readonly consumer: ChunkParts;
  readonly log: EventLog;
  readonly topic: string;
  readonly subscription: Subscription;
  readonly ranges: Ranges;
  /** Undefined: all keys. */
  readonly key: string | undefined;
  /** False: nothing is changed, no handler is asked, and what is told is what would be. */
  readonly apply: boolean;
  /** Also what was applied before, a second time. */
  readonly repeat: boolean;
  /** Aborts when the time is over: what was begun is ended, and the rest is left. */
  readonly signal: AbortSignal;
}

export interface ReplayCounts extends Record<Verdict, number> {
  /** Records of the key, or of all. */
  read: number;
  /** Those that were taken before and run again. */
  forced: number;
}

export interface Replayed {
  readonly counts: Readonly<ReplayCounts>;
  readonly read: Ranges;
  /** What is left to read. */
  readonly next: Ranges;
}

interface Replaying extends ReplayOptions {
  readonly counts: ReplayCounts;
  /** The first offset that is not done, by partition. */
  readonly places: Map<number, bigint>;
  /** Of a look: new events that were counted. A topic may hold one twice. */
  readonly seen: Set<string>;
}

/** Throws what is transient if it met it before it got anywhere; later it is only told, and the rest is left. */
export async function replayTopic(o: ReplayOptions): Promise<Replayed> {
  const counts = { read: 0, known: 0, applied: 0, forced: 0, ignored: 0, held: 0, dead: 0 };
  const places = new Map([...o.ranges].map(([partition, { from }]) => [partition, from]));
  const enough = new AbortController();
  const signal = AbortSignal.any([o.signal, enough.signal]);
  let working: Promise<unknown> = Promise.resolve();
  const replaying: Replaying = { ...o, signal, counts, places, seen: new Set() };
  try {
    await o.log.read({
      topic: o.topic,
      ranges: o.ranges,
      signal,
      onRecords: async (records) => {
        const work = readRecords(replaying, records);
        working = work.catch(() => undefined); // who reads hears of it
        await work;
        if (recordsDone(replaying) >= CALL_LIMIT_RECORDS) enough.abort();
      },
    });
    // Nothing is left, even where the last records of a range are forgotten.
    if (!signal.aborted) for (const [partition, { end }] of o.ranges) places.set(partition, end);
  } catch (error) {
    if (!signal.aborted) {
      if (recordsDone(replaying) === 0) throw error;
      const fields = { topic: o.topic, error: underlying(error) };
      o.consumer.app.log.warn(fields, "a replay stops on the way");
    }
  }
  await working; // a read that was aborted does not wait for it
  return { counts, ...split(o.ranges, places) };
}

const recordsDone = ({ ranges, places }: Replaying): number =>
  [...ranges].reduce(
    (sum, [partition, { from }]) => sum + Number((places.get(partition) ?? from) - from),
    0,
  );

function split(ranges: Ranges, places: ReadonlyMap<number, bigint>) {
  const read = new Map<number, OffsetRange>();
  const next = new Map<number, OffsetRange>();
  for (const [partition, { from, end }] of ranges) {
    const place = places.get(partition) ?? from;
    if (from < place) read.set(partition, { from, end: place });
    if (place < end) next.set(partition, { from: place, end });
  }
  return { read, next };
}

async function readRecords(r: Replaying, records: readonly InRecord[]): Promise<void> {
  for (const [partition, ofPartition] of Map.groupBy(records, (record) => record.partition)) {
    for (let at = 0; at < ofPartition.length; at += LOOKUP_RECORDS) {
      if (r.signal.aborted) return;
      const some = ofPartition.slice(at, at + LOOKUP_RECORDS);
      const last = some.at(-1);
      const events = some
        .map((record) => receive(record, r.subscription.schema))
        .filter((event) => r.key === undefined || event.meta.key === r.key);
      if (events.length > 0) await replayEvents(r, events);
      if (last !== undefined) r.places.set(partition, last.offset + 1n);
    }
  }
}

async function replayEvents(r: Replaying, events: readonly ReceivedEvent[]): Promise<void> {
  const { db, app } = r.consumer;
  const taken = await findTaken(
    db,
    app.consumer,
    events.map((event) => event.meta.eventId),
  );
  const isAgain = (event: ReceivedEvent): boolean =>
    r.repeat && taken.get(event.meta.eventId)?.is_held === false;
  if (!r.apply) {
    const again = events.filter(isAgain);
    const fresh = events.filter((event) => !taken.has(event.meta.eventId));
    count(r, "known", events.length - fresh.length - again.length);
    count(r, "applied", again.length);
    r.counts.forced += again.length;
    return lookAt(r, fresh);
  }
  // In their order, whichever they are.
  for (const run of runsOf(events, isAgain)) {
    const [first] = run;
    if (first === undefined) continue;
    if (isAgain(first)) await repeatAll(r, run);
    else await applyAll(r, run, taken);
  }
}

async function applyAll(
  r: Replaying,
  events: readonly ReceivedEvent[],
  taken: ReadonlyMap<string, unknown>,
): Promise<void> {
  const fresh = events.filter((event) => !taken.has(event.meta.eventId));
  count(r, "known", events.length - fresh.length);
  const verdicts = new Map<ReceivedEvent, Verdict>();
  const parts = listening(r.consumer, verdicts);
  for (let at = 0; at < fresh.length; at += CHUNK_EVENTS) {
    await applyChunk(parts, fresh.slice(at, at + CHUNK_EVENTS), (event) =>
      count(r, verdicts.get(event) ?? "known", 1),
    );
  }
}

async function repeatAll(r: Replaying, events: readonly ReceivedEvent[]): Promise<void> {
  const verdicts = new Map<ReceivedEvent, Verdict>();
  const parts = listening(r.consumer, verdicts);
  for (const event of events) {
    await repeatEvent(parts, event);
    count(r, verdicts.get(event) ?? "ignored", 1);
    r.counts.forced += 1;
  }
}

const listening = (parts: ChunkParts, verdicts: Map<ReceivedEvent, Verdict>): ChunkParts => ({
  ...parts,
  app: { ...parts.app, onVerdict: (event, verdict) => void verdicts.set(event, verdict) },
});

/** What can be said of new events without asking their handler. */
async function lookAt(r: Replaying, fresh: readonly ReceivedEvent[]): Promise<void> {
  const { db, app } = r.consumer;
  const keys = [...new Set(fresh.map((event) => event.meta.key))];
  const held = await db.transaction((tx) => heldTopicsOf(tx, app.consumer, keys));
  const stuck = new Set(held.filter(({ topic }) => topic === r.topic).map(({ key }) => key));
  for (const { meta, content } of fresh) {
    if (r.seen.has(meta.eventId)) count(r, "known", 1);
    else if (stuck.has(meta.key)) count(r, "held", 1);
    else if (content.kind === "malformed") count(r, "dead", 1);
    else count(r, content.kind === "unknown" ? "ignored" : "applied", 1);
    r.seen.add(meta.eventId);
  }
}

function count({ counts }: Replaying, verdict: Verdict, events: number): void {
  counts[verdict] += events;
  counts.read += events;
}

/** Neighbours that are alike, together. */
function runsOf<T>(items: readonly T[], isOne: (item: T) => boolean): T[][] {
  const runs: T[][] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.[0] !== undefined && isOne(last[0]) === isOne(item)) last.push(item);
    else runs.push([item]);
  }
  return runs;
}

/** Those that the consumer took, and whether it holds them still. */
async function findTaken(
  db: Database,
  consumer: string,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly is_held: boolean }>> {
  const rows = await db.execute<{ event_id: string; is_held: boolean }>(sql`
    SELECT event_id, EXISTS (
      SELECT 1 FROM ${heldEvent} AS h WHERE h.consumer = i.consumer AND h.event_id = i.event_id) AS is_held
    FROM ${inbox} AS i
    WHERE consumer = ${consumer} AND event_id = ANY (${`{${eventIds.join(",")}}`}::uuid[])`);
  return new Map(rows.map((row) => [row.event_id, row]));
}

// The dead among the held events: what an operator sees of them, and does with them.
import { and, sql, type SQL } from "drizzle-orm";
import type { StoredHeaders } from "./cloud-event.ts";
import { removeCounts } from "./crash-count.ts";
import { findHeldKey, type HeldKeyRow } from "./held-key.ts";
import { isHead, removeHeld } from "./held.ts";
import { heldEvent, inbox, type Database, type Transaction } from "./schema.ts";
import { epochMs, filter, timestamp, type PageOf } from "./sql.ts";

export interface DeadLetterRow extends Record<string, unknown> {
  readonly id: string;
  readonly event_id: string;
  readonly topic: string;
  readonly key: string;
  readonly type: string;
  readonly seq: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: string;
  readonly attempts: number;
  /** Events of its topic and key behind it. */
  readonly later: number;
  readonly create_ms: number;
  readonly dead_ms: number;
}

export interface DeadLetterContent extends Record<string, unknown> {
  readonly error: string | null;
  readonly headers: StoredHeaders;
  readonly payload: Uint8Array | null;
}

export interface DeadLetterFilter {
  readonly topic: string | undefined;
  readonly key: string | undefined;
  readonly type: string | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}

/** Since when: events that died before that was noted have the time when they were taken. */
const deadTime = sql`coalesce(h.dead_time, h.create_time)`;

const shown = sql`
  h.id, h.event_id, h.topic, h.key, h.type, h.seq, h.partition, h."offset", h.reason, h.attempts,
  ${epochMs(sql`h.create_time`)} AS create_ms, ${epochMs(deadTime)} AS dead_ms, (
    SELECT count(*)::int FROM ${heldEvent} AS l
    WHERE l.consumer = h.consumer AND l.key = h.key AND l.topic = h.topic AND l.id > h.id) AS later`;

const deadOf = (consumer: string): SQL => sql`h.consumer = ${consumer} AND h.state = 'dead'`;

/** In the order in which they were taken. */
export async function listDeadLetters(
  db: Database,
  consumer: string,
  o: DeadLetterFilter,
  page: PageOf,
): Promise<DeadLetterRow[]> {
  const wanted = and(
    deadOf(consumer),
    filter(page.after, (id) => sql`h.id > ${id}::bigint`),
    filter(o.topic, (topic) => sql`h.topic = ${topic}`),
    filter(o.key, (key) => sql`h.key = ${key}`),
    filter(o.type, (type) => sql`h.type = ${type}`),
    filter(o.since, (since) => sql`${deadTime} >= ${timestamp(since)}`),
    filter(o.until, (until) => sql`${deadTime} < ${timestamp(until)}`),
  );
  const rows = await db.execute<DeadLetterRow>(sql`
    SELECT ${shown} FROM ${heldEvent} AS h WHERE ${wanted} ORDER BY h.id LIMIT ${page.limit}::int`);
  return [...rows];
}

export async function findDeadLetter(
  db: Database,
  consumer: string,
  eventId: string,
): Promise<(DeadLetterRow & DeadLetterContent) | undefined> {
  const rows = await db.execute<DeadLetterRow & DeadLetterContent>(sql`
    SELECT ${shown}, h.error, h.headers, h.payload FROM ${heldEvent} AS h
    WHERE ${deadOf(consumer)} AND h.event_id = ${eventId}::uuid`);
  return rows[0];
}

/** Which dead letters are meant: one, those of a topic and key, or those that died since. */
export type DeadLetterTarget =
  | { readonly eventId: string }
  | { readonly topic: string; readonly key: string }
  | { readonly since: Date };

function targeted(consumer: string, target: DeadLetterTarget): SQL {
  if ("eventId" in target) return sql`${deadOf(consumer)} AND h.event_id = ${target.eventId}::uuid`;
  if ("since" in target)
    return sql`${deadOf(consumer)} AND ${deadTime} >= ${timestamp(target.since)}`;
  return sql`${deadOf(consumer)} AND h.topic = ${target.topic} AND h.key = ${target.key}`;
}

export async function countDeadLetters(
  db: Database,
  consumer: string,
  target: DeadLetterTarget,
): Promise<number> {
  const rows = await db.execute<{ n: number }>(sql`
    SELECT count(*)::int AS n FROM ${heldEvent} AS h WHERE ${targeted(consumer, target)}`);
  return rows[0]?.n ?? 0;
}

/**
 * Makes them wait as if they had just come, and returns how many: none is changed that is tried at this moment or was
 * replayed before. Only the head of a key is due; the others get their turn when those before them are gone.
 */
export async function replayDeadLetters(
  tx: Transaction,
  consumer: string,
  target: DeadLetterTarget,
): Promise<number> {
  const rows = await tx.execute<{ event_id: string }>(sql`
    UPDATE ${heldEvent} AS h SET state = 'waiting', attempts = 0, error = NULL, dead_time = NULL,
           reason = 'an operator asked for another try', create_time = now(),
           due_time = CASE WHEN ${isHead()} THEN now() END
    WHERE ${targeted(consumer, target)} RETURNING h.event_id`);
  // Of one that ended its processes: it starts with a clean record, or it would be dead again untried.
  await removeCounts(
    tx,
    consumer,
    rows.map((row) => row.event_id),
  );
  return rows.length;
}

/** Whether the consumer ever took the event, as far as it remembers. */
export async function wasTaken(db: Database, consumer: string, eventId: string): Promise<boolean> {
  const rows = await db.execute(sql`
    SELECT 1 FROM ${inbox} WHERE consumer = ${consumer} AND event_id = ${eventId}::uuid`);
  return rows.length > 0;
}

export type Skipped =
  | { readonly outcome: "skipped"; readonly head: HeldKeyRow | undefined }
  | { readonly outcome: "not_found" | "not_dead"; readonly head?: never };

/** Takes the dead event away; its inbox row stays, so it does not come back. The one behind it is due. */
export async function skipDeadLetter(
  tx: Transaction,
  consumer: string,
  eventId: string,
): Promise<Skipped> {
  // Only a dead one is locked: one that waits may be at its handler, for as long as that takes.
  const rows = await tx.execute<{ id: string; topic: string; key: string }>(sql`
    SELECT id, topic, key FROM ${heldEvent}
    WHERE consumer = ${consumer} AND event_id = ${eventId}::uuid AND state = 'dead' FOR UPDATE`);
  const row = rows[0];
  if (row === undefined) {
    const waiting = await tx.execute(sql`
      SELECT 1 FROM ${heldEvent} WHERE consumer = ${consumer} AND event_id = ${eventId}::uuid`);
    return { outcome: waiting.length > 0 ? "not_dead" : "not_found" };
  }
  await removeHeld(tx, consumer, row);
  return { outcome: "skipped", head: await findHeldKey(tx, consumer, row) };
}

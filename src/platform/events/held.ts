// The rows of held events: what was taken and not applied, in the order of its topic and key.
import { sql, type SQL } from "drizzle-orm";
import { headersFromJson, headersToJson, type StoredHeaders } from "./cloud-event.ts";
import { errorText, storable, underlying } from "./failure.ts";
import { textArray } from "./outbox-rows.ts";
import type { InRecord } from "./ports.ts";
import type { ReceivedEvent } from "./received.ts";
import { heldEvent, type Database, type Transaction } from "./schema.ts";

/** Why an event is held. Only "not_yet" is retried by itself; "behind" gets its turn when those before it are gone. */
export type HoldCause =
  | { readonly cause: "not_yet"; readonly reason: string }
  | { readonly cause: "behind" }
  | { readonly cause: "dead"; readonly error: unknown; readonly attempts: number };

/** How long a held event rests before its second try; doubled with each further one, up to the last. */
export const RETRY_FIRST_MS = 1_000;
export const RETRY_LAST_MS = 60_000;

export interface HeldRow extends Record<string, unknown> {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly partition: number;
  readonly offset: string;
  readonly headers: StoredHeaders;
  readonly record_key: Uint8Array | null;
  readonly payload: Uint8Array | null;
  readonly attempts: number;
  /** Milliseconds since it was held. */
  readonly age_ms: number;
}

/** Nothing of its consumer, topic and key was held before the row `h`: the others of its key wait for it. */
export const isHead = (): SQL => sql`
  NOT EXISTS (
    SELECT 1 FROM ${heldEvent} AS e
    WHERE e.consumer = h.consumer AND e.key = h.key AND e.topic = h.topic AND e.id < h.id)`;

export const recordOf = (row: HeldRow): InRecord => ({
  topic: row.topic,
  partition: row.partition,
  offset: BigInt(row.offset),
  key: row.record_key,
  value: row.payload,
  headers: headersFromJson(row.headers),
});

/** Which of the keys have held events, by topic, of any state. */
export async function heldTopicsOf(
  tx: Transaction,
  consumer: string,
  keys: readonly string[],
): Promise<{ topic: string; key: string }[]> {
  const rows = await tx.execute<{ topic: string; key: string }>(sql`
    SELECT DISTINCT topic, key FROM ${heldEvent}
    WHERE consumer = ${consumer} AND key = ANY (${textArray(keys)}::text[])`);
  return [...rows];
}

export async function hold(
  tx: Transaction,
  consumer: string,
  events: readonly { readonly event: ReceivedEvent; readonly why: HoldCause }[],
): Promise<void> {
  if (events.length === 0) return;
  await tx.insert(heldEvent).values(
    events.map(({ event: { meta, record }, why }) => ({
      consumer,
      topic: meta.topic,
      key: meta.key,
      eventId: meta.eventId,
      type: meta.type,
      seq: meta.sequence,
      partition: meta.partition,
      offset: meta.offset,
      headers: headersToJson(record.headers),
      recordKey: record.key,
      payload: record.value,
      ...stateOf(why),
    })),
  );
}

function stateOf(why: HoldCause) {
  switch (why.cause) {
    case "not_yet":
      return {
        state: "waiting" as const,
        reason: storable(why.reason),
        attempts: 1,
        dueTime: new Date(Date.now() + RETRY_FIRST_MS),
      };
    case "behind":
      return { state: "waiting" as const, reason: "an earlier event of its key is held" };
    case "dead":
      return {
        state: "dead" as const,
        reason: storable(underlying(why.error).message),
        error: errorText(why.error),
        attempts: why.attempts,
        deadTime: sql`now()`,
      };
  }
}

/** The waiting heads of these keys are due now: something of their key was applied. One that is being tried is left. */
export async function wakeHeld(
  tx: Transaction,
  consumer: string,
  keys: readonly string[],
): Promise<void> {
  await tx.execute(sql`
    UPDATE ${heldEvent} SET due_time = now() WHERE id IN (
      SELECT id FROM ${heldEvent}
      WHERE consumer = ${consumer} AND key = ANY (${textArray(keys)}::text[])
        AND state = 'waiting' AND due_time IS NOT NULL
      FOR UPDATE SKIP LOCKED)`);
}

/** The next head that is due, locked. */
export async function nextDue(tx: Transaction, consumer: string): Promise<HeldRow | undefined> {
  const rows = await tx.execute<HeldRow>(sql`
    SELECT id, topic, key, partition, "offset", headers, record_key, payload, attempts,
           (extract(epoch FROM now() - create_time) * 1000)::float8 AS age_ms
    FROM ${heldEvent} AS h
    WHERE consumer = ${consumer} AND state = 'waiting' AND due_time <= now() AND ${isHead()}
    ORDER BY due_time, id LIMIT 1 FOR UPDATE OF h SKIP LOCKED`);
  return rows[0];
}

/** The event is done: it goes, and the one behind it is due. */
export async function removeHeld(
  tx: Transaction,
  consumer: string,
  row: Pick<HeldRow, "id" | "topic" | "key">,
): Promise<void> {
  await tx.execute(sql`DELETE FROM ${heldEvent} WHERE id = ${row.id}::bigint`);
  await tx.execute(sql`
    UPDATE ${heldEvent} SET due_time = now() WHERE state = 'waiting' AND id = (
      SELECT min(id) FROM ${heldEvent} WHERE consumer = ${consumer} AND key = ${row.key} AND topic = ${row.topic})`);
}

export async function postponeHeld(
  db: Database | Transaction,
  row: HeldRow,
  next: { reason: string; restMs: number },
): Promise<void> {
  await db.execute(sql`
    UPDATE ${heldEvent} SET attempts = attempts + 1, reason = ${storable(next.reason)},
           due_time = now() + make_interval(secs => ${next.restMs / 1000})
    WHERE id = ${row.id}::bigint AND state = 'waiting'`);
}

/** The event is given up, and with it its key: what comes later of its topic and key stays behind it. */
export async function buryHeld(
  db: Database | Transaction,
  row: HeldRow,
  error: unknown,
): Promise<void> {
  await db.execute(sql`
    UPDATE ${heldEvent} SET state = 'dead', due_time = NULL, attempts = attempts + 1,
           reason = ${storable(underlying(error).message)}, error = ${errorText(error)}, dead_time = now()
    WHERE id = ${row.id}::bigint AND state = 'waiting'`);
}

/**
 * Makes heads due that have no due time. An event that was held behind another one at the very moment when that one
 * was applied and removed is such a head: neither transaction saw the other.
 */
export async function findForgottenHeads(db: Database, consumer: string): Promise<void> {
  await db.execute(sql`
    UPDATE ${heldEvent} AS h SET due_time = now()
    WHERE consumer = ${consumer} AND state = 'waiting' AND due_time IS NULL AND ${isHead()}`);
}

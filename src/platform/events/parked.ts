// The events that the broker refused: what an operator sees of them, and does with them.
import { and, sql } from "drizzle-orm";
import { outbox, outboxParked, type Database, type Transaction } from "./schema.ts";
import { epochMs, filter, type PageOf } from "./sql.ts";

export interface ParkedRow extends Record<string, unknown> {
  readonly id: string;
  readonly event_id: string;
  readonly topic: string;
  readonly aggregate_id: string;
  readonly type: string;
  readonly seq: string;
  readonly bytes: number;
  readonly reason: string;
  readonly create_ms: number;
  readonly park_ms: number;
}

/** In the order in which they were published. */
export async function listParked(
  db: Database,
  o: { readonly topic: string | undefined; readonly key: string | undefined },
  page: PageOf,
): Promise<ParkedRow[]> {
  const wanted = and(
    sql`true`,
    filter(page.after, (id) => sql`id > ${id}::bigint`),
    filter(o.topic, (topic) => sql`topic = ${topic}`),
    filter(o.key, (key) => sql`aggregate_id = ${key}`),
  );
  const rows = await db.execute<ParkedRow>(sql`
    SELECT id, event_id, topic, aggregate_id, type, seq, octet_length(payload) AS bytes, reason,
           ${epochMs(sql`create_time`)} AS create_ms, ${epochMs(sql`park_time`)} AS park_ms
    FROM ${outboxParked} WHERE ${wanted} ORDER BY id LIMIT ${page.limit}::int`);
  return [...rows];
}

interface Place {
  readonly topic: string;
  readonly key: string;
}

/**
 * Until the transaction ends, the relay parks no event behind these: it locks them before it does. A statement after
 * this one sees all that it has parked.
 */
async function lockParked(tx: Transaction, { topic, key }: Place): Promise<void> {
  await tx.execute(sql`
    SELECT 1 FROM ${outboxParked} WHERE topic = ${topic} AND aggregate_id = ${key} ORDER BY id FOR UPDATE`);
}

/** Puts all parked events of a key back where they were, under the IDs that keep their order. Returns how many. */
export async function releaseParked(tx: Transaction, place: Place): Promise<number> {
  await lockParked(tx, place);
  const rows = await tx.execute(sql`
    WITH moved AS (
      DELETE FROM ${outboxParked} WHERE topic = ${place.topic} AND aggregate_id = ${place.key} RETURNING *
    )
    INSERT INTO ${outbox} (id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers, create_time)
    OVERRIDING SYSTEM VALUE
    SELECT id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers, create_time
    FROM moved RETURNING 1`);
  return rows.length;
}

/** Takes a parked event away. Returns how many of its key are left; undefined: there is no such event. */
export async function skipParked(tx: Transaction, eventId: string): Promise<number | undefined> {
  const [place] = await tx.execute<{ topic: string; key: string }>(sql`
    SELECT topic, aggregate_id AS key FROM ${outboxParked} WHERE event_id = ${eventId}::uuid`);
  if (place === undefined) return undefined;
  await lockParked(tx, place);
  const gone = await tx.execute(sql`
    DELETE FROM ${outboxParked} WHERE event_id = ${eventId}::uuid RETURNING 1`);
  if (gone.length === 0) return undefined; // released, or skipped, while we waited for the lock
  const [left] = await tx.execute<{ n: number }>(sql`
    SELECT count(*)::int AS n FROM ${outboxParked} WHERE topic = ${place.topic} AND aggregate_id = ${place.key}`);
  return left?.n ?? 0;
}

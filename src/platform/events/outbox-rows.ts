// Reading and deleting the rows of the outbox, and setting aside those that the broker refuses.
import { sql } from "drizzle-orm";
import { wireHeaders, type HeaderTexts } from "./cloud-event.ts";
import type { OutRecord } from "./ports.ts";
import { outbox, outboxParked, type Database } from "./schema.ts";

export const BATCH_LIMIT_ROWS = 500;
/** Below the 1 MiB that a broker takes as one batch of a partition. */
const BATCH_LIMIT_BYTES = 900_000;
/** What a record weighs beside its payload: headers, key, framing. */
const ROW_OVERHEAD_BYTES = 600;

export interface OutboxRow {
  readonly id: string;
  readonly event_id: string;
  readonly topic: string;
  readonly aggregate_id: string;
  readonly type: string;
  readonly seq: string;
  readonly shard: number;
  readonly payload: Uint8Array;
  readonly headers: HeaderTexts;
  /** An earlier event of its topic and key is parked. */
  readonly behind_parked: boolean;
  /** An earlier event of its topic and key came late: it lies where this read did not look. */
  readonly behind_late: boolean;
}

export interface OutboxRead {
  readonly shards: readonly number[];
  readonly withoutTopics: readonly string[];
  /** Rows up to this ID are not looked at, nor later ones of a key that has one there. */
  readonly after: bigint;
}

/**
 * The oldest rows, by ID, up to the limits of a batch but at least one. The primary key leads it: an index that
 * begins with the shard would cost every publishing transaction, and few relays share an outbox. The `+ 0` keeps the
 * look for earlier rows of a key off that index: it would walk over all dead rows for each row of the batch.
 */
export async function readBatch(db: Database, o: OutboxRead): Promise<OutboxRow[]> {
  const rows = await db.execute<OutboxRow & Record<string, unknown>>(sql`
    WITH oldest AS (
      SELECT id, event_id, topic, aggregate_id, type, seq, shard, payload, headers FROM ${outbox}
      WHERE id > ${String(o.after)}::bigint AND ${isOurs(o)} ORDER BY id LIMIT ${BATCH_LIMIT_ROWS}::int
    ), weighed AS (
      SELECT *, sum(octet_length(payload) + ${ROW_OVERHEAD_BYTES}::int) OVER (ORDER BY id) AS bytes,
             row_number() OVER (ORDER BY id) AS place
      FROM oldest
    )
    SELECT id, event_id, topic, aggregate_id, type, seq, shard, payload, headers, EXISTS (
      SELECT 1 FROM ${outboxParked} AS p WHERE p.topic = w.topic AND p.aggregate_id = w.aggregate_id
    ) AS behind_parked, EXISTS (
      SELECT 1 FROM ${outbox} AS e WHERE e.topic = w.topic AND e.aggregate_id = w.aggregate_id
        AND e.seq < w.seq AND e.id + 0 <= ${String(o.after)}::bigint
    ) AS behind_late
    FROM weighed AS w WHERE bytes <= ${BATCH_LIMIT_BYTES}::bigint OR place = 1 ORDER BY id`);
  return [...rows];
}

/** The first row up to this ID. It walks over the dead rows there: not for the path of every batch. */
export async function findLate(db: Database, o: OutboxRead): Promise<bigint | undefined> {
  const rows = await db.execute<{ id: string }>(sql`
    SELECT id FROM ${outbox} WHERE id <= ${String(o.after)}::bigint AND ${isOurs(o)} ORDER BY id LIMIT 1`);
  return rows[0] === undefined ? undefined : BigInt(rows[0].id);
}

const isOurs = (o: OutboxRead) => sql`
  shard = ANY (${`{${o.shards.join(",")}}`}::smallint[])
  AND NOT topic = ANY (${textArray(o.withoutTopics)}::text[])`;

export function toRecord(row: OutboxRow): OutRecord {
  return {
    topic: row.topic,
    key: Buffer.from(row.aggregate_id, "utf8"),
    value: row.payload,
    headers: wireHeaders({ id: row.event_id, type: row.type, sequence: row.seq }, row.headers),
  };
}

const idArray = (rows: readonly OutboxRow[]): string => `{${rows.map((row) => row.id).join(",")}}`;

/** An array literal of PostgreSQL. */
export const textArray = (texts: readonly string[]): string =>
  `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(",")}}`;

export async function deleteRows(db: Database, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db.execute(sql`DELETE FROM ${outbox} WHERE id = ANY (${idArray(rows)}::bigint[])`);
}

/** Moves rows out of the way of the other keys of their shard. */
export async function parkRows(
  db: Database,
  rows: readonly OutboxRow[],
  reason: string,
): Promise<void> {
  await db.execute(sql`
    WITH moved AS (DELETE FROM ${outbox} WHERE id = ANY (${idArray(rows)}::bigint[]) RETURNING *)
    ${insertParked(reason)}`);
}

/**
 * Moves rows behind the parked ones of their key. An operator may release those at this moment: they are locked, so
 * that either the rows go behind them, or they are gone and the rows stay to be sent.
 */
export async function parkBehind(db: Database, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db.execute(sql`
    WITH ahead AS (
      SELECT topic, aggregate_id FROM ${outboxParked}
      WHERE (topic, aggregate_id) IN (SELECT topic, aggregate_id FROM ${outbox} WHERE id = ANY (${idArray(rows)}::bigint[]))
      FOR SHARE
    ), moved AS (
      DELETE FROM ${outbox} AS o WHERE id = ANY (${idArray(rows)}::bigint[])
        AND EXISTS (SELECT 1 FROM ahead AS a WHERE a.topic = o.topic AND a.aggregate_id = o.aggregate_id)
      RETURNING *
    ) ${insertParked("an earlier event of its key is parked")}`);
}

const insertParked = (reason: string) => sql`
  INSERT INTO ${outboxParked} (id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers,
                               create_time, reason)
  SELECT id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers, create_time, ${reason}
  FROM moved`;

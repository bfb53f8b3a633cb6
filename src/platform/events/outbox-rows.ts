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
}

/**
 * The oldest rows of the shards, by ID, up to the limits of a batch but at least one; none of the topics left out.
 * Plain ORDER BY id: a cursor (`id > last seen`) would lose rows, because IDs commit out of order.
 */
export async function readBatch(
  db: Database,
  shards: readonly number[],
  withoutTopics: readonly string[],
): Promise<OutboxRow[]> {
  const rows = await db.execute<OutboxRow & Record<string, unknown>>(sql`
    WITH oldest AS (
      SELECT o.id FROM unnest(${`{${shards.join(",")}}`}::smallint[]) AS mine (shard)
      CROSS JOIN LATERAL (
        SELECT id FROM ${outbox} WHERE shard = mine.shard AND NOT topic = ANY (${textArray(withoutTopics)}::text[])
        ORDER BY id LIMIT ${BATCH_LIMIT_ROWS}::int
      ) AS o ORDER BY o.id LIMIT ${BATCH_LIMIT_ROWS}::int
    ), weighed AS (
      SELECT o.*, sum(octet_length(o.payload) + ${ROW_OVERHEAD_BYTES}::int) OVER (ORDER BY o.id) AS bytes,
             row_number() OVER (ORDER BY o.id) AS place
      FROM ${outbox} AS o JOIN oldest USING (id)
    )
    SELECT id, event_id, topic, aggregate_id, type, seq, shard, payload, headers, EXISTS (
      SELECT 1 FROM ${outboxParked} AS p WHERE p.topic = w.topic AND p.aggregate_id = w.aggregate_id
    ) AS behind_parked
    FROM weighed AS w WHERE bytes <= ${BATCH_LIMIT_BYTES}::bigint OR place = 1 ORDER BY id`);
  return [...rows];
}

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
  if (rows.length === 0) return;
  await db.execute(sql`
    WITH moved AS (DELETE FROM ${outbox} WHERE id = ANY (${idArray(rows)}::bigint[]) RETURNING *)
    INSERT INTO ${outboxParked} (id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers,
                                 create_time, reason)
    SELECT id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers, create_time, ${reason}
    FROM moved`);
}

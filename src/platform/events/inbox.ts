// The inbox: an event that has a row here was taken by the consumer. It outlives the topic's own memory.
import { sql } from "drizzle-orm";
import { startLoop, type Loop } from "./loop.ts";
import type { EventsLog } from "./ports.ts";
import { inbox, type Database, type Transaction } from "./schema.ts";

/** A record may be read again as long as its topic keeps it, and by a replay for a while after. */
const KEEP_AFTER_RETENTION_HOURS = 7 * 24;
const PRUNE_EVERY_MS = 60 * 60 * 1000;
const PRUNE_CHUNK_ROWS = 1_000;
const PRUNE_REST_MS = 50;

/** Takes the events that the consumer did not take before, and returns their IDs. */
export async function takeNew(
  tx: Transaction,
  consumer: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.execute<{ event_id: string }>(sql`
    INSERT INTO ${inbox} (consumer, event_id)
    SELECT ${consumer}, event_id FROM unnest(${`{${eventIds.join(",")}}`}::uuid[]) AS event_id
    ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id`);
  return new Set(rows.map((row) => row.event_id));
}

/**
 * Forgets, hourly and a few rows at a time, the events that no topic holds any more. Event IDs are UUIDv7, so the old
 * ones are at the front of the primary key; the time of processing has the last word.
 */
export function startInboxPruning(o: {
  db: Database;
  consumer: string;
  retentionHours: number;
  log: EventsLog;
}): Loop {
  const keepHours = o.retentionHours + KEEP_AFTER_RETENTION_HOURS;
  return startLoop("pruning the inbox", o.log, async () => {
    const cutoff = new Date(Date.now() - keepHours * 60 * 60 * 1000);
    const rows = await o.db.execute(sql`
      DELETE FROM ${inbox} WHERE consumer = ${o.consumer} AND event_id IN (
        SELECT event_id FROM ${inbox}
        WHERE consumer = ${o.consumer} AND event_id < ${firstIdAt(cutoff)}::uuid
          AND process_time < ${cutoff.toISOString()}::timestamptz
        ORDER BY event_id LIMIT ${PRUNE_CHUNK_ROWS}::int
      ) RETURNING 1`);
    return rows.length < PRUNE_CHUNK_ROWS ? PRUNE_EVERY_MS : PRUNE_REST_MS;
  });
}

/** The least UUIDv7 of a moment. */
function firstIdAt(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

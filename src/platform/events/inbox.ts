// The inbox: an event that has a row here was taken by the consumer. It outlives the topic's own memory.
import { sql } from "drizzle-orm";
import { startLoop, type Loop } from "./loop.ts";
import type { EventsLog } from "./ports.ts";
import { eventAttempt, inbox, type Database, type Transaction } from "./schema.ts";
import type { StreamTopic } from "./stream.ts";

/** A record may be read again as long as its topic keeps it, and by a replay for a while after. */
const KEEP_AFTER_RETENTION_HOURS = 7 * 24;
const PRUNE_EVERY_MS = 60 * 60 * 1000;
const PRUNE_CHUNK_ROWS = 1_000;
const PRUNE_REST_MS = 50;

/** The inbox would forget an event while a topic still holds it: a second delivery would be applied again. */
export class RetentionError extends Error {
  override readonly name = "RetentionError";
}

/** How long the inbox remembers, in hours: as wanted, never less than the topics. Throws a RetentionError. */
export function inboxHours(streams: readonly StreamTopic[], wanted: number | undefined): number {
  const longest = streams.reduce((a, b) => (b.retentionHours > a.retentionHours ? b : a));
  if (wanted === undefined) return longest.retentionHours + KEEP_AFTER_RETENTION_HOURS;
  if (wanted >= longest.retentionHours) return wanted;
  throw new RetentionError(
    `INBOX_RETENTION_HOURS is ${wanted}, but the topic ${longest.topic} keeps its records for ` +
      `${longest.retentionHours} hours: an event that is read again after the inbox forgot it would be applied twice. ` +
      `Set it to ${longest.retentionHours} or more, or leave it out.`,
  );
}

/** Takes the events that the consumer did not take before, and returns their IDs. Their starts have ended with it. */
export async function takeNew(
  tx: Transaction,
  consumer: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const ids = `{${eventIds.join(",")}}`;
  const rows = await tx.execute<{ event_id: string }>(sql`
    WITH ended AS (
      DELETE FROM ${eventAttempt} WHERE consumer = ${consumer} AND event_id = ANY (${ids}::uuid[])
    )
    INSERT INTO ${inbox} (consumer, event_id)
    SELECT ${consumer}, event_id FROM unnest(${ids}::uuid[]) AS event_id
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
  keepHours: number;
  log: EventsLog;
}): Loop {
  return startLoop("pruning the inbox", o.log, async () => {
    const cutoff = new Date(Date.now() - o.keepHours * 60 * 60 * 1000);
    await o.db.execute(sql`
      DELETE FROM ${eventAttempt} WHERE consumer = ${o.consumer} AND event_id < ${firstIdAt(cutoff)}::uuid`);
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
export function firstIdAt(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

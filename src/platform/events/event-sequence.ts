// Forgets the sequences of keys that have long been silent.
import { sql } from "drizzle-orm";
import { firstIdAt } from "./inbox.ts";
import { startLoop, type Loop } from "./loop.ts";
import type { EventsLog } from "./ports.ts";
import { eventSequence, type Database } from "./schema.ts";

/** A key that published nothing for so long begins again at 1 if it ever does. */
const KEEP_DAYS = 400;
const PRUNE_EVERY_MS = 24 * 60 * 60 * 1000;
const PRUNE_CHUNK_ROWS = 1_000;
const PRUNE_REST_MS = 50;

/** Daily, a few rows at a time. Keys are UUIDv7, so the old ones are at the front of the primary key; others stay. */
export function startSequencePruning(db: Database, log: EventsLog): Loop {
  return startLoop("pruning the sequences", log, async () => {
    const cutoff = new Date(Date.now() - KEEP_DAYS * 24 * 60 * 60 * 1000);
    const rows = await db.execute(sql`
      DELETE FROM ${eventSequence} WHERE (topic, key) IN (
        SELECT topic, key FROM ${eventSequence}
        WHERE key < ${firstIdAt(cutoff)} AND update_time < ${cutoff.toISOString()}::timestamptz
        LIMIT ${PRUNE_CHUNK_ROWS}::int
      ) RETURNING 1`);
    return rows.length < PRUNE_CHUNK_ROWS ? PRUNE_EVERY_MS : PRUNE_REST_MS;
  });
}

// How the events of a service flow, as its database tells: what waits to be sent, and what is stuck.
import { sql } from "drizzle-orm";
import { isHead } from "./held.ts";
import {
  heldEvent,
  outbox,
  outboxParked,
  outboxShard,
  relayHeartbeat,
  type Database,
} from "./schema.ts";
import { epochMs } from "./sql.ts";

export interface OutboxBacklogRow extends Record<string, unknown> {
  readonly topic: string;
  readonly events: string;
  readonly oldest_ms: number;
}

export interface OutboxShardRow extends Record<string, unknown> {
  readonly shard: number;
  readonly owner: string | null;
  /** Null: it is free. */
  readonly lease_ms: number | null;
}

export interface StuckCounts extends Record<string, unknown> {
  readonly dead: string;
  readonly waiting: string;
  readonly quarantined: string;
  readonly parked: string;
  /** Milliseconds; null: none waits. */
  readonly oldest_waiting_ms: number | null;
}

/** The topics that have unsent events. */
export async function readOutboxBacklogs(db: Database): Promise<OutboxBacklogRow[]> {
  const rows = await db.execute<OutboxBacklogRow>(sql`
    SELECT topic, count(*) AS events, ${epochMs(sql`now() - min(create_time)`)} AS oldest_ms
    FROM ${outbox} GROUP BY topic ORDER BY topic`);
  return [...rows];
}

export async function readShards(db: Database): Promise<OutboxShardRow[]> {
  const rows = await db.execute<OutboxShardRow>(sql`
    SELECT shard, owner, CASE WHEN lease_until > now() THEN ${epochMs(sql`lease_until`)} END AS lease_ms
    FROM ${outboxShard} ORDER BY shard`);
  return [...rows];
}

/** How many relays gave a sign of life within the time of a lease. */
export async function countLiveRelays(db: Database, leaseMs: number): Promise<number> {
  const rows = await db.execute<{ n: number }>(sql`
    SELECT count(*)::int AS n FROM ${relayHeartbeat}
    WHERE seen_time > now() - make_interval(secs => ${leaseMs / 1000})`);
  return rows[0]?.n ?? 0;
}

export async function countStuck(db: Database, consumer: string): Promise<StuckCounts> {
  const rows = await db.execute<StuckCounts>(sql`
    SELECT count(*) FILTER (WHERE state = 'dead') AS dead,
           count(*) FILTER (WHERE state = 'waiting') AS waiting,
           ${epochMs(sql`now() - min(create_time) FILTER (WHERE state = 'waiting')`)} AS oldest_waiting_ms,
           (SELECT count(*) FROM ${outboxParked}) AS parked,
           (SELECT count(*) FROM ${heldEvent} AS h WHERE h.consumer = ${consumer} AND h.state = 'dead' AND ${isHead()}) AS quarantined
    FROM ${heldEvent} WHERE consumer = ${consumer}`);
  const [counts] = rows;
  if (counts === undefined) throw new Error("a count without a row");
  return counts;
}

/**
 * The age, in milliseconds, of the oldest transaction of this database that may still look at dead rows: vacuum must
 * leave them, and the relay walks over them. Undefined: there is none but our own.
 */
export async function oldestTransactionMs(db: Database): Promise<number | undefined> {
  const rows = await db.execute<{ ms: number | null }>(sql`
    SELECT max(ms) AS ms FROM (
      SELECT ${epochMs(sql`clock_timestamp() - xact_start`)} AS ms FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
      UNION ALL
      SELECT ${epochMs(sql`clock_timestamp() - prepared`)} FROM pg_prepared_xacts
      WHERE database = current_database()) AS transactions`);
  return rows[0]?.ms ?? undefined;
}

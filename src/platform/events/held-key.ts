// The keys some of whose events are held: each with its head, the event that all others of it wait for.
import { and, sql, type SQL } from "drizzle-orm";
import { isHead } from "./held.ts";
import { heldEvent, type Database, type Transaction } from "./schema.ts";
import { epochMs, filter, type PageOf } from "./sql.ts";

export interface HeldKeyRow extends Record<string, unknown> {
  /** Of the head. */
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly state: "waiting" | "dead";
  readonly event_id: string;
  readonly type: string;
  readonly reason: string;
  /** Events behind the head. */
  readonly later: number;
  readonly create_ms: number;
  readonly due_ms: number | null;
}

const heads = (consumer: string): SQL => sql`
  SELECT h.id, h.topic, h.key, h.state, h.event_id, h.type, h.reason,
         ${epochMs(sql`h.create_time`)} AS create_ms, ${epochMs(sql`h.due_time`)} AS due_ms, (
           SELECT count(*)::int FROM ${heldEvent} AS l
           WHERE l.consumer = h.consumer AND l.key = h.key AND l.topic = h.topic AND l.id > h.id) AS later
  FROM ${heldEvent} AS h
  WHERE h.consumer = ${consumer} AND ${isHead()}`;

/** The longest held first. */
export async function listHeldKeys(
  db: Database,
  consumer: string,
  o: { readonly topic: string | undefined; readonly state: "waiting" | "dead" | undefined },
  page: PageOf,
): Promise<HeldKeyRow[]> {
  const wanted = and(
    sql`true`,
    filter(page.after, (id) => sql`h.id > ${id}::bigint`),
    filter(o.topic, (topic) => sql`h.topic = ${topic}`),
    filter(o.state, (state) => sql`h.state = ${state}`),
  );
  const rows = await db.execute<HeldKeyRow>(
    sql`${heads(consumer)} AND ${wanted} ORDER BY h.id LIMIT ${page.limit}::int`,
  );
  return [...rows];
}

/** Undefined: nothing of the key is held. */
export async function findHeldKey(
  tx: Transaction,
  consumer: string,
  place: { readonly topic: string; readonly key: string },
): Promise<HeldKeyRow | undefined> {
  const rows = await tx.execute<HeldKeyRow>(
    sql`${heads(consumer)} AND h.topic = ${place.topic} AND h.key = ${place.key}`,
  );
  return rows[0];
}

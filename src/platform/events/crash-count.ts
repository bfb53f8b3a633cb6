// Counts the starts of handlers, so that an event that ends the process is found, and set aside, by the next processes.
import { sql } from "drizzle-orm";
import { underlying } from "./failure.ts";
import type { EventsLog } from "./ports.ts";
import { eventAttempt, type Database, type Transaction } from "./schema.ts";

/** So many processes ended while they applied the event: it is not tried by another one. */
export const CRASH_LIMIT = 3;
/** Events that were begun here and left to others, at most; beyond it they are forgotten, and may be counted twice. */
const REMEMBERED_LIMIT = 10_000;

export interface CrashCount {
  /**
   * Counts the start of these events. Returns those that another process began and did not end: each of them may have
   * been what ended it, so they are applied alone.
   */
  begin(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Runs the work on an event that `begin` returned while no other of those runs in this process, so that at the next
   * end of it there is no doubt which one it was. Gives how many processes ended on it before.
   */
  alone<T>(eventId: string, work: (crashes: number) => Promise<T>): Promise<T>;
  /** The transaction that ended these events, and removed their counts, has committed. */
  ended(eventIds: readonly string[]): void;
  /** The handlers of these events came back with an error that passes: that was no crash. */
  left(eventIds: readonly string[]): Promise<void>;
  /** The process ends in order: whatever it began and did not end is left. */
  leaveAll(): Promise<void>;
}

export function createCrashCount(db: Database, consumer: string, log: EventsLog): CrashCount {
  /** What this process began and did not end, and how many crashes each has behind it: a process counts once. */
  const begun = new Map<string, number>();
  let before: Promise<unknown> = Promise.resolve();

  const left = async (eventIds: readonly string[]): Promise<void> => {
    const mine = eventIds.filter((id) => begun.has(id));
    try {
      await uncount(db, consumer, mine);
      for (const id of mine) begun.delete(id);
    } catch (error) {
      // They stay counted once, and are not counted again while this process lives.
      log.info({ error: underlying(error), events: mine.length }, "starts stay counted");
    }
  };
  return {
    async begin(eventIds) {
      const unknown = eventIds.filter((id) => !begun.has(id));
      const first = await insertFirst(db, consumer, unknown);
      if (begun.size > REMEMBERED_LIMIT) begun.clear();
      for (const id of first) begun.set(id, 0);
      return new Set(eventIds.filter((id) => (begun.get(id) ?? 1) > 0));
    },
    async alone(eventId, work) {
      const turn = before.then(async () => {
        const crashes = begun.get(eventId) ?? (await countAgain(db, consumer, eventId));
        begun.set(eventId, crashes);
        return work(crashes);
      });
      before = turn.catch(() => undefined); // who called `alone` hears of it
      return turn;
    },
    ended(eventIds) {
      for (const id of eventIds) begun.delete(id);
    },
    left,
    leaveAll: () => left([...begun.keys()]),
  };
}

/** Counts the first start of events that were never begun, and returns those; the others are left as they are. */
async function insertFirst(
  db: Database,
  consumer: string,
  eventIds: readonly string[],
): Promise<string[]> {
  if (eventIds.length === 0) return [];
  const rows = await db.execute<{ event_id: string }>(sql`
    INSERT INTO ${eventAttempt} (consumer, event_id, started)
    SELECT ${consumer}, event_id, 1 FROM unnest(${`{${eventIds.join(",")}}`}::uuid[]) AS event_id
    ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id`);
  return rows.map((row) => row.event_id);
}

/** Counts one more start, and returns how many there were before. */
async function countAgain(db: Database, consumer: string, eventId: string): Promise<number> {
  const rows = await db.execute<{ started: number }>(sql`
    INSERT INTO ${eventAttempt} AS a (consumer, event_id, started) VALUES (${consumer}, ${eventId}::uuid, 1)
    ON CONFLICT (consumer, event_id) DO UPDATE SET started = a.started + 1 RETURNING started`);
  return (rows[0]?.started ?? 1) - 1;
}

/** Takes back one start of each. */
async function uncount(db: Database, consumer: string, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  const ids = `{${eventIds.join(",")}}`;
  await db.execute(sql`
    WITH first AS (
      DELETE FROM ${eventAttempt} WHERE consumer = ${consumer} AND event_id = ANY (${ids}::uuid[]) AND started <= 1
    )
    UPDATE ${eventAttempt} SET started = started - 1
    WHERE consumer = ${consumer} AND event_id = ANY (${ids}::uuid[]) AND started > 1`);
}

/** In the transaction that ends the events, or lets them begin anew. */
export async function removeCounts(
  tx: Transaction,
  consumer: string,
  eventIds: readonly string[],
): Promise<void> {
  await tx.execute(sql`
    DELETE FROM ${eventAttempt} WHERE consumer = ${consumer} AND event_id = ANY (${`{${eventIds.join(",")}}`}::uuid[])`);
}

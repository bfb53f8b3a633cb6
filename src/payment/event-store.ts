// The Payment service's SQL: the inbox of Stripe's events.
import { asc, eq, inArray, lt, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { stripeEvents } from "./schema.ts";
import { dueIn, inMs, type Lease } from "./store.ts";

export type StripeEventRow = typeof stripeEvents.$inferSelect;

/** Stores a webhook's event, once. False: it was there. */
export async function saveStripeEvent(
  db: Database,
  row: typeof stripeEvents.$inferInsert,
): Promise<boolean> {
  const { id } = stripeEvents;
  const saved = await db.insert(stripeEvents).values(row).onConflictDoNothing().returning({ id });
  return saved.length > 0;
}

/** Counts that the event came again. How often it did. */
export async function countRepeat(db: Database, id: string): Promise<number> {
  const [row] = await db
    .update(stripeEvents)
    .set({ repeats: sql`${stripeEvents.repeats} + 1` })
    .where(eq(stripeEvents.id, id))
    .returning({ repeats: stripeEvents.repeats });
  return row?.repeats ?? 0;
}

/** Takes events that are due to be applied. */
export async function claimDueEvents(db: Database, lease: Lease): Promise<StripeEventRow[]> {
  const due = db
    .select({ id: stripeEvents.id })
    .from(stripeEvents)
    .where(lt(stripeEvents.dueTime, sql`now()`))
    .orderBy(asc(stripeEvents.dueTime))
    .limit(lease.limit)
    .for("update", { skipLocked: true });
  return await db
    .update(stripeEvents)
    .set({ dueTime: inMs(lease.leaseMs), tries: sql`${stripeEvents.tries} + 1` })
    .where(inArray(stripeEvents.id, due))
    .returning();
}

export async function saveEventOutcome(
  db: Database | Transaction,
  id: string,
  outcome: { readonly status: string; readonly reason?: string; readonly dueInMs: number | null },
): Promise<void> {
  await db
    .update(stripeEvents)
    .set({
      status: outcome.status,
      reason: outcome.reason ?? "",
      dueTime: dueIn(outcome.dueInMs),
    })
    .where(eq(stripeEvents.id, id));
}

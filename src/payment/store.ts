// The Payment service's SQL.
import { and, asc, eq, inArray, lt, ne, or, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { paymentAttempts, payments, stripeEvents } from "./schema.ts";

export type PaymentRow = typeof payments.$inferSelect;
export type AttemptRow = typeof paymentAttempts.$inferSelect;
export type StripeEventRow = typeof stripeEvents.$inferSelect;

/** A lease of due rows: how many, and after which time, in milliseconds, another worker may take what this one did not finish. */
export interface Lease {
  readonly limit: number;
  readonly leaseMs: number;
}

const inMs = (ms: number) => sql`now() + make_interval(secs => ${ms / 1000})`;

/** The index by which an order has one payment: a second insert waits for the end of the first one's transaction, and then fails. */
export const ORDER_KEY = "payments_order";

export const savePayment = async (tx: Transaction, row: PaymentRow): Promise<void> => {
  await tx.insert(payments).values(row);
};

export const saveAttempt = async (
  tx: Transaction,
  row: typeof paymentAttempts.$inferInsert,
): Promise<void> => {
  await tx.insert(paymentAttempts).values(row);
};

export async function findAttempt(
  db: Database | Transaction,
  paymentId: string,
  attemptNumber: number,
) {
  const [row] = await db
    .select()
    .from(paymentAttempts)
    .where(
      and(
        eq(paymentAttempts.paymentId, paymentId),
        eq(paymentAttempts.attemptNumber, attemptNumber),
      ),
    );
  return row;
}

/** A payment by its ID or its order's, if it is in the scope: the customer's own, or any where the scope is undefined. */
export async function findPayment(
  db: Database,
  key: { readonly paymentId?: string; readonly orderId?: string },
  scope: string | undefined,
): Promise<PaymentRow | undefined> {
  const [row] = await db
    .select()
    .from(payments)
    .where(
      and(
        key.paymentId ? eq(payments.id, key.paymentId) : eq(payments.orderId, key.orderId ?? ""),
        scope === undefined ? undefined : eq(payments.customerId, scope),
      ),
    );
  return row;
}

export async function lockPayment(tx: Transaction, id: string): Promise<PaymentRow | undefined> {
  const [row] = await tx.select().from(payments).where(eq(payments.id, id)).for("update");
  return row;
}

export async function lockPaymentOfOrder(
  tx: Transaction,
  orderId: string,
): Promise<PaymentRow | undefined> {
  const [row] = await tx.select().from(payments).where(eq(payments.orderId, orderId)).for("update");
  return row;
}

export type PaymentChange = Partial<
  Pick<
    PaymentRow,
    "status" | "declineCode" | "paymentIntentId" | "snapshotTime" | "attemptNumber" | "traceparent"
  >
>;

/** Writes what changed of a payment that the transaction has locked; the version counts it. */
export async function savePaymentChange(tx: Transaction, row: PaymentRow): Promise<void> {
  await tx.update(payments).set(row).where(eq(payments.id, row.id));
}

/**
 * Writes how far an attempt got, unless another call of it has settled it meanwhile. `dueInMs`: when the worker makes its call
 * again; null: not any more.
 */
export async function saveAttemptProgress(
  tx: Transaction,
  id: string,
  progress: { readonly status: string; readonly dueInMs: number | null },
): Promise<void> {
  await tx
    .update(paymentAttempts)
    .set({
      status: progress.status,
      dueTime: progress.dueInMs === null ? null : inMs(progress.dueInMs),
    })
    .where(and(eq(paymentAttempts.id, id), ne(paymentAttempts.status, "SETTLED")));
}

/** Takes attempts whose call is due: a lost one, or one whose maker died. */
export async function claimDueAttempts(db: Database, lease: Lease): Promise<AttemptRow[]> {
  const due = db
    .select({ id: paymentAttempts.id })
    .from(paymentAttempts)
    .where(lt(paymentAttempts.dueTime, sql`now()`))
    .orderBy(asc(paymentAttempts.dueTime))
    .limit(lease.limit)
    .for("update", { skipLocked: true });
  return await db
    .update(paymentAttempts)
    .set({ dueTime: inMs(lease.leaseMs), tries: sql`${paymentAttempts.tries} + 1` })
    .where(inArray(paymentAttempts.id, due))
    .returning();
}

/** Stores a webhook's event, once. */
export async function saveStripeEvent(
  db: Database,
  row: typeof stripeEvents.$inferInsert,
): Promise<void> {
  await db.insert(stripeEvents).values(row).onConflictDoNothing();
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
      dueTime: outcome.dueInMs === null ? null : inMs(outcome.dueInMs),
    })
    .where(eq(stripeEvents.id, id));
}

/** The payment that a PaymentIntent belongs to: by its ID, or by what its metadata says while we do not know the ID yet. */
export async function findPaymentOfIntent(
  db: Database,
  paymentIntentId: string,
  paymentId: string,
): Promise<PaymentRow | undefined> {
  const byMetadata = UUID.test(paymentId) ? eq(payments.id, paymentId) : undefined;
  const [row] = await db
    .select()
    .from(payments)
    .where(or(eq(payments.paymentIntentId, paymentIntentId), byMetadata));
  return row;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

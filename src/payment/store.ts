// The Payment service's SQL: payments and their attempts.
import { and, asc, desc, eq, gt, inArray, lt, ne, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { paymentAttempts, payments } from "./schema.ts";

export type PaymentRow = typeof payments.$inferSelect;
export type AttemptRow = typeof paymentAttempts.$inferSelect;

/** A lease of due rows: how many, and after which time, in milliseconds, another worker may take what this one did not finish. */
export interface Lease {
  readonly limit: number;
  readonly leaseMs: number;
}

/** A time so many milliseconds from now, by the database's clock. */
export const inMs = (ms: number) => sql`now() + make_interval(secs => ${ms / 1000})`;

/** The same for a row that may be done with: null, it is not due any more. */
export const dueIn = (ms: number | null) => (ms === null ? null : inMs(ms));

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
    | "status"
    | "declineCode"
    | "paymentIntentId"
    | "snapshotTime"
    | "attemptNumber"
    | "receivedMinorUnits"
    | "reviewReason"
    | "checkDueTime"
    | "checkTries"
    | "traceparent"
  >
>;

/** Writes what changed of a payment that the transaction has locked; the version counts it. */
export async function savePaymentChange(tx: Transaction, row: PaymentRow): Promise<void> {
  await tx.update(payments).set(row).where(eq(payments.id, row.id));
}

/** Where the call of an attempt, or of a refund, stands after a try; see the schema. */
export interface Progress {
  /** Absent: as it was. */
  readonly status?: CallStatus;
  /** When the worker goes on, in milliseconds; null: not any more. */
  readonly dueInMs: number | null;
}

export type CallStatus = "CREATING" | "UNKNOWN" | "LOOKING" | "SETTLED" | "PARKED";

/**
 * Writes how far an attempt got, unless another call of it has settled it meanwhile. A call that was lost while it was decided that
 * it must not be repeated changes nothing of that.
 */
export async function saveAttemptProgress(
  tx: Transaction,
  id: string,
  progress: Progress,
): Promise<void> {
  await tx
    .update(paymentAttempts)
    .set({
      ...(progress.status && { status: progress.status }),
      dueTime: dueIn(progress.dueInMs),
      ...(progress.status === "LOOKING" && {
        lookTime: sql`coalesce(${paymentAttempts.lookTime}, now())`,
      }),
    })
    .where(
      and(
        eq(paymentAttempts.id, id),
        ne(paymentAttempts.status, "SETTLED"),
        progress.status === "UNKNOWN" ? ne(paymentAttempts.status, "LOOKING") : undefined,
      ),
    );
}

/** What an attempt's call was meant to find out is known from elsewhere. */
export async function settleAttemptRow(tx: Transaction, id: string): Promise<void> {
  await tx
    .update(paymentAttempts)
    .set({ status: "SETTLED", dueTime: null })
    .where(eq(paymentAttempts.id, id));
}

/** The bank refused the attempt: it counts against its order and its customer. */
export async function markRefused(
  tx: Transaction,
  { id, attemptNumber }: PaymentRow,
): Promise<void> {
  await tx
    .update(paymentAttempts)
    .set({ refuseTime: sql`coalesce(${paymentAttempts.refuseTime}, now())` })
    .where(
      and(eq(paymentAttempts.paymentId, id), eq(paymentAttempts.attemptNumber, attemptNumber)),
    );
}

/** When attempts of an order (by its payment) or of a customer were refused in the last `windowMs`, the newest first. */
export async function listRefusals(
  tx: Transaction,
  of: { readonly paymentId: string } | { readonly customerId: string },
  { windowMs, limit }: { readonly windowMs: number; readonly limit: number },
): Promise<Date[]> {
  const rows = await tx
    .select({ time: paymentAttempts.refuseTime })
    .from(paymentAttempts)
    .where(
      and(
        "paymentId" in of
          ? eq(paymentAttempts.paymentId, of.paymentId)
          : eq(paymentAttempts.customerId, of.customerId),
        gt(paymentAttempts.refuseTime, inMs(-windowMs)),
      ),
    )
    .orderBy(desc(paymentAttempts.refuseTime))
    .limit(limit);
  return rows.flatMap(({ time }) => (time === null ? [] : [time]));
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

/** The payment that a PaymentIntent belongs to: by its ID, or by what its metadata says while we do not know the ID yet. */
export async function findPaymentOfIntent(
  db: Database,
  paymentIntentId: string,
  paymentId: string,
): Promise<PaymentRow | undefined> {
  const [byIntent] = await db
    .select()
    .from(payments)
    .where(eq(payments.paymentIntentId, paymentIntentId));
  if (byIntent !== undefined || !UUID.test(paymentId)) return byIntent;
  const [byMetadata] = await db.select().from(payments).where(eq(payments.id, paymentId));
  return byMetadata;
}

/** Takes payments whose PaymentIntent is to be looked at. */
export async function claimDueChecks(db: Database, lease: Lease): Promise<PaymentRow[]> {
  const due = db
    .select({ id: payments.id })
    .from(payments)
    .where(lt(payments.checkDueTime, sql`now()`))
    .orderBy(asc(payments.checkDueTime))
    .limit(lease.limit)
    .for("update", { skipLocked: true });
  return await db
    .update(payments)
    .set({ checkDueTime: inMs(lease.leaseMs), checkTries: sql`${payments.checkTries} + 1` })
    .where(inArray(payments.id, due))
    .returning();
}

/** Looks at the payment again later, unless news of it have changed that meanwhile: `seen` is the row as it was claimed. */
export async function postponeCheck(db: Database, seen: PaymentRow, waitMs: number): Promise<void> {
  await db
    .update(payments)
    .set({ checkDueTime: inMs(waitMs) })
    .where(and(eq(payments.id, seen.id), eq(payments.version, seen.version)));
}

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

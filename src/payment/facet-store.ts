// The Payment service's SQL: the refunds and disputes of payments.
import { and, asc, eq, inArray, lt, ne, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { disputes, refunds } from "./schema.ts";
import { dueIn, inMs, type Lease, type Progress } from "./store.ts";

export type RefundRow = typeof refunds.$inferSelect;
export type DisputeRow = typeof disputes.$inferSelect;

/** The index by which a request_id has one refund. */
export const REFUND_SOURCE = "refunds_source";

export interface Facets {
  /** The oldest first. */
  readonly refunds: readonly RefundRow[];
  /** The oldest first. */
  readonly disputes: readonly DisputeRow[];
}

/** The refunds and disputes of these payments, by payment; one that has none is not in the map. */
export async function findFacets(
  db: Database | Transaction,
  paymentIds: readonly string[],
): Promise<Map<string, Facets>> {
  if (paymentIds.length === 0) return new Map();
  const ids = [...paymentIds];
  const [refundRows, disputeRows] = await Promise.all([
    db
      .select()
      .from(refunds)
      .where(inArray(refunds.paymentId, ids))
      .orderBy(asc(refunds.createTime), asc(refunds.id)),
    db
      .select()
      .from(disputes)
      .where(inArray(disputes.paymentId, ids))
      .orderBy(asc(disputes.createTime), asc(disputes.id)),
  ]);
  const ofRefunds = Map.groupBy(refundRows, ({ paymentId }) => paymentId);
  const ofDisputes = Map.groupBy(disputeRows, ({ paymentId }) => paymentId);
  const known = new Set([...ofRefunds.keys(), ...ofDisputes.keys()]);
  return new Map(
    [...known].map((id) => [
      id,
      { refunds: ofRefunds.get(id) ?? [], disputes: ofDisputes.get(id) ?? [] },
    ]),
  );
}

export async function findRefundBySource(
  db: Database | Transaction,
  source: string,
): Promise<RefundRow | undefined> {
  const [row] = await db.select().from(refunds).where(eq(refunds.source, source));
  return row;
}

export async function findRefund(
  db: Database | Transaction,
  id: string,
): Promise<RefundRow | undefined> {
  const [row] = await db.select().from(refunds).where(eq(refunds.id, id));
  return row;
}

export async function saveRefund(tx: Transaction, row: RefundRow): Promise<void> {
  await tx.insert(refunds).values(row);
}

/** Writes what Stripe said of a refund; its call is another matter. */
export async function saveRefundChange(
  tx: Transaction,
  id: string,
  change: Partial<
    Pick<
      RefundRow,
      "status" | "minorUnits" | "failureReason" | "stripeRefundId" | "snapshotTime" | "updateTime"
    >
  >,
): Promise<void> {
  await tx.update(refunds).set(change).where(eq(refunds.id, id));
}

/** Writes how far the call of a refund got, unless another call of it has settled it meanwhile. */
export async function saveRefundProgress(
  tx: Transaction,
  id: string,
  progress: Progress,
): Promise<void> {
  await tx
    .update(refunds)
    .set({
      ...(progress.status && { callStatus: progress.status }),
      dueTime: dueIn(progress.dueInMs),
      ...(progress.status === "LOOKING" && { lookTime: sql`coalesce(${refunds.lookTime}, now())` }),
    })
    .where(and(eq(refunds.id, id), ne(refunds.callStatus, "SETTLED")));
}

/** The call of the refund is settled; `dueInMs`: when to look whether the bank has decided, null when it has. */
export async function settleRefundRow(
  tx: Transaction,
  id: string,
  dueInMs: number | null,
): Promise<void> {
  await tx
    .update(refunds)
    .set({ callStatus: "SETTLED", dueTime: dueIn(dueInMs) })
    .where(eq(refunds.id, id));
}

/** Takes refunds whose call, or whose look at the bank's decision, is due. */
export async function claimDueRefunds(db: Database, lease: Lease): Promise<RefundRow[]> {
  const due = db
    .select({ id: refunds.id })
    .from(refunds)
    .where(lt(refunds.dueTime, sql`now()`))
    .orderBy(asc(refunds.dueTime))
    .limit(lease.limit)
    .for("update", { skipLocked: true });
  return await db
    .update(refunds)
    .set({ dueTime: inMs(lease.leaseMs), tries: sql`${refunds.tries} + 1` })
    .where(inArray(refunds.id, due))
    .returning();
}

export async function saveDispute(tx: Transaction, row: DisputeRow): Promise<void> {
  await tx
    .insert(disputes)
    .values(row)
    .onConflictDoUpdate({
      target: disputes.id,
      set: {
        minorUnits: row.minorUnits,
        status: row.status,
        reason: row.reason,
        snapshotTime: row.snapshotTime,
        updateTime: row.updateTime,
      },
    });
}

// The Order service's SQL about refunds: facets of an order, told by the Payment service.
import { asc, eq, inArray, lte, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { orderRefunds } from "./schema.ts";

export type OrderRefundRow = typeof orderRefunds.$inferSelect;

/** Keeps the refund as it was told last. News that are older than what is known change nothing. */
export async function saveRefund(tx: Transaction, row: OrderRefundRow): Promise<void> {
  const { status, failureReason, stripeRefundId, updateTime } = row;
  await tx
    .insert(orderRefunds)
    .values(row)
    .onConflictDoUpdate({
      target: orderRefunds.id,
      set: { status, failureReason, stripeRefundId, updateTime },
      setWhere: lte(orderRefunds.updateTime, sql`excluded.update_time`),
    });
}

export async function refundsOf(
  db: Database | Transaction,
  orderIds: readonly string[],
): Promise<OrderRefundRow[]> {
  if (orderIds.length === 0) return [];
  return await db
    .select()
    .from(orderRefunds)
    .where(
      orderIds.length === 1 && orderIds[0] !== undefined
        ? eq(orderRefunds.orderId, orderIds[0])
        : inArray(orderRefunds.orderId, [...orderIds]),
    )
    .orderBy(asc(orderRefunds.createTime), asc(orderRefunds.id));
}

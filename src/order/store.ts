// The Order service's SQL.
import { and, asc, desc, eq, gt, inArray, lt, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { orderItems, orderRequests, orders, products } from "./schema.ts";
import { together } from "../platform/events/together.ts";

export type OrderRow = typeof orders.$inferSelect;
export type OrderItemRow = typeof orderItems.$inferSelect;
export type ProductRow = typeof products.$inferSelect;
export interface OrderWithItems {
  readonly order: OrderRow;
  readonly items: readonly OrderItemRow[];
}

export async function findProducts(
  db: Database,
  skus: readonly string[],
): Promise<Map<string, ProductRow>> {
  const rows = await db
    .select()
    .from(products)
    .where(inArray(products.sku, [...new Set(skus)]));
  return new Map(rows.map((row) => [row.sku, row]));
}

export const listProducts = (
  db: Database,
  page: { after: string | undefined; limit: number },
): Promise<ProductRow[]> =>
  db
    .select()
    .from(products)
    .where(page.after === undefined ? undefined : gt(products.sku, page.after))
    .orderBy(asc(products.sku))
    .limit(page.limit);

/** The key of order_requests: a second insert with it waits for the end of the first one's transaction, and then fails. */
export const REQUEST_KEY = "order_requests_customer_id_request_id_pk";

export type RequestRow = typeof orderRequests.$inferInsert;

/** Stores an order with the request that made it. Sent together, run one after the other: one round trip. */
export async function saveOrder(
  tx: Transaction,
  request: RequestRow,
  { order, items }: OrderWithItems,
): Promise<void> {
  await together([
    tx.insert(orderRequests).values(request),
    tx.insert(orders).values(order),
    tx.insert(orderItems).values([...items]),
  ]);
}

export async function findRequest(db: Database, customerId: string, requestId: string) {
  const [row] = await db
    .select()
    .from(orderRequests)
    .where(and(eq(orderRequests.customerId, customerId), eq(orderRequests.requestId, requestId)));
  return row;
}

/** An order, if it is in the scope: the customer's own, or any where the scope is undefined. */
export async function findOrder(
  db: Database,
  id: string,
  scope: string | undefined,
): Promise<OrderWithItems | undefined> {
  const [order] = await db
    .select()
    .from(orders)
    .where(and(eq(orders.id, id), scope === undefined ? undefined : eq(orders.customerId, scope)));
  if (order === undefined) return undefined;
  const items = await db
    .select()
    .from(orderItems)
    .where(eq(orderItems.orderId, id))
    .orderBy(asc(orderItems.position));
  return { order, items };
}

/** Orders of the scope, the newest first, before the one with the ID `before`. */
export async function listOrders(
  db: Database,
  scope: string | undefined,
  page: { before: string | undefined; limit: number },
): Promise<OrderWithItems[]> {
  const rows = await db
    .select()
    .from(orders)
    .where(
      and(
        scope === undefined ? undefined : eq(orders.customerId, scope),
        page.before === undefined ? undefined : lt(orders.id, page.before),
      ),
    )
    .orderBy(desc(orders.id))
    .limit(page.limit);
  if (rows.length === 0) return [];
  const items = await db
    .select()
    .from(orderItems)
    .where(
      inArray(
        orderItems.orderId,
        rows.map((row) => row.id),
      ),
    )
    .orderBy(asc(orderItems.orderId), asc(orderItems.position));
  const byOrder = Map.groupBy(items, (item) => item.orderId);
  return rows.map((order) => ({ order, items: byOrder.get(order.id) ?? [] }));
}

export async function lockOrder(tx: Transaction, id: string): Promise<OrderRow | undefined> {
  const [row] = await tx.select().from(orders).where(eq(orders.id, id)).for("update");
  return row;
}

/** Writes what a payment's news changed. The version counts it. */
export async function saveOrderChange(
  tx: Transaction,
  id: string,
  change: Partial<
    Pick<OrderRow, "status" | "paymentId" | "paymentStatus" | "declineCode" | "initiateDueTime">
  >,
): Promise<void> {
  await tx
    .update(orders)
    .set({ ...change, version: sql`${orders.version} + 1`, updateTime: sql`now()` })
    .where(eq(orders.id, id));
}

/** Records that the Payment service has the order: the worker need not ask again. */
export async function savePaymentId(db: Database, id: string, paymentId: string): Promise<void> {
  await db.update(orders).set({ paymentId, initiateDueTime: null }).where(eq(orders.id, id));
}

/** The longest wait between two tries is 2 to the power of this, in seconds. */
const LONGEST_WAIT_EXPONENT = 4;

/**
 * Takes up to `limit` orders whose payment is due to be initiated, and puts their due time off: whoever dies with one loses it to
 * the next after `leaseMs`. Each try doubles the wait, up to 16 s.
 */
export async function claimDueOrders(
  db: Database,
  limit: number,
  leaseMs: number,
): Promise<OrderRow[]> {
  const due = db
    .select({ id: orders.id })
    .from(orders)
    .where(lt(orders.initiateDueTime, sql`now()`))
    .orderBy(asc(orders.initiateDueTime))
    .limit(limit)
    .for("update", { skipLocked: true });
  return await db
    .update(orders)
    .set({
      initiateDueTime: sql`now() + make_interval(secs => ${leaseMs / 1000} + power(2, least(${orders.initiateTries}, ${LONGEST_WAIT_EXPONENT})))`,
      initiateTries: sql`${orders.initiateTries} + 1`,
    })
    .where(inArray(orders.id, due))
    .returning();
}

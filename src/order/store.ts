// The Order service's SQL about orders.
import { and, asc, desc, eq, gte, inArray, lt, sql, type SQL } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import type { OrderState } from "./order.ts";
import { orderItems, orderRequests, orders } from "./schema.ts";

export type OrderRow = typeof orders.$inferSelect;
export type OrderItemRow = typeof orderItems.$inferSelect;
export interface OrderWithItems {
  readonly order: OrderRow;
  readonly items: readonly OrderItemRow[];
}

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
    saveRequest(tx, request),
    tx.insert(orders).values(order),
    tx.insert(orderItems).values([...items]),
  ]);
}

export async function saveRequest(tx: Transaction, request: RequestRow): Promise<void> {
  await tx.insert(orderRequests).values(request);
}

export async function findRequest(
  db: Database | Transaction,
  customerId: string,
  requestId: string,
) {
  const [row] = await db
    .select()
    .from(orderRequests)
    .where(and(eq(orderRequests.customerId, customerId), eq(orderRequests.requestId, requestId)));
  return row;
}

const inScope = (id: string, scope: string | undefined): SQL | undefined =>
  and(eq(orders.id, id), scope === undefined ? undefined : eq(orders.customerId, scope));

/** An order, if it is in the scope: the customer's own, or any where the scope is undefined. */
export async function findOrder(
  db: Database | Transaction,
  id: string,
  scope: string | undefined,
): Promise<OrderWithItems | undefined> {
  const [order] = await db.select().from(orders).where(inScope(id, scope));
  if (order === undefined) return undefined;
  const items = await db
    .select()
    .from(orderItems)
    .where(eq(orderItems.orderId, id))
    .orderBy(asc(orderItems.position));
  return { order, items };
}

export interface OrderFilter {
  readonly scope: string | undefined;
  /** None: all. */
  readonly statuses: readonly OrderState[];
  readonly from: Date | undefined;
  readonly before: Date | undefined;
}

/** The newest first, before the one with the ID `before`. */
export async function listOrders(
  db: Database,
  filter: OrderFilter,
  page: { before: string | undefined; limit: number },
): Promise<OrderWithItems[]> {
  const { scope, statuses, from, before } = filter;
  const rows = await db
    .select()
    .from(orders)
    .where(
      and(
        scope === undefined ? undefined : eq(orders.customerId, scope),
        statuses.length === 0 ? undefined : inArray(orders.status, [...statuses]),
        from && gte(orders.createTime, from),
        before && lt(orders.createTime, before),
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

export async function lockOrder(
  tx: Transaction,
  id: string,
  scope?: string,
): Promise<OrderRow | undefined> {
  const [row] = await tx.select().from(orders).where(inScope(id, scope)).for("update");
  return row;
}

/** What of an order ever changes. */
export type OrderChange = Partial<
  Pick<
    OrderRow,
    | "attemptNumber"
    | "closing"
    | "declineCode"
    | "disputed"
    | "dueTime"
    | "expireTime"
    | "initiated"
    | "lateMoney"
    | "paymentId"
    | "paymentMethod"
    | "paymentStatus"
    | "refundedMinorUnits"
    | "status"
    | "traceparent"
    | "tries"
  >
>;

/** Writes the change of a locked order. The version counts it. Gives the row after it. */
export async function changeOrder(
  tx: Transaction,
  order: OrderRow,
  change: OrderChange,
): Promise<OrderRow> {
  const next = { ...order, ...change, version: order.version + 1n, updateTime: new Date() };
  const { version, updateTime } = next;
  await tx
    .update(orders)
    .set({ ...change, version, updateTime })
    .where(eq(orders.id, order.id));
  return next;
}

/**
 * Writes when a worker looks at the order next: no change that anybody sees. Writes nothing where the order changed since the worker
 * took it: whoever changed it said what is due.
 */
export async function saveDue(
  db: Database | Transaction,
  { id, version }: Pick<OrderRow, "id" | "version">,
  due: Pick<OrderChange, "dueTime" | "initiated" | "lateMoney" | "paymentId">,
): Promise<void> {
  await db
    .update(orders)
    .set({ ...due, tries: 0 })
    .where(and(eq(orders.id, id), eq(orders.version, version)));
}

/** The longest wait between two tries is 2 to the power of this, in seconds. */
const LONGEST_WAIT_EXPONENT = 4;

/**
 * Takes up to `limit` orders whose time has come, and puts it off: whoever dies with one loses it to the next after `leaseMs`.
 * Each try doubles the wait, up to 16 s.
 */
export async function claimDueOrders(
  db: Database,
  limit: number,
  leaseMs: number,
): Promise<OrderRow[]> {
  const due = db
    .select({ id: orders.id })
    .from(orders)
    .where(lt(orders.dueTime, sql`now()`))
    .orderBy(asc(orders.dueTime))
    .limit(limit)
    .for("update", { skipLocked: true });
  return await db
    .update(orders)
    .set({
      dueTime: sql`now() + make_interval(secs => ${leaseMs / 1000} + power(2, least(${orders.tries}, ${LONGEST_WAIT_EXPONENT})))`,
      tries: sql`${orders.tries} + 1`,
    })
    .where(inArray(orders.id, due))
    .returning();
}

/** The versions of these orders as they are now: what a watcher compares with. */
export async function versionsOf(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await db
    .select({ id: orders.id, version: orders.version })
    .from(orders)
    .where(inArray(orders.id, [...ids]));
  return new Map(rows.map((row) => [row.id, row.version]));
}

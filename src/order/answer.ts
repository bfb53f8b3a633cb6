// An order as it is told to whoever may see it: with what is known of its payment.
import type { Database } from "../platform/database/open.ts";
import { Refusal } from "../platform/refusal.ts";
import { refundsOf } from "./refund-store.ts";
import { findOrder, type OrderWithItems } from "./store.ts";
import { toOrder, toOrderPayment } from "./wire.ts";

/** `scope`: the customer whose order it must be; undefined: anybody's. Refuses what is not there, or is not theirs. */
export async function mustFindOrder(
  db: Database,
  id: string,
  scope: string | undefined,
): Promise<OrderWithItems> {
  const found = await findOrder(db, id, scope);
  if (found !== undefined) return found;
  throw new Refusal("not_found", `there is no order ${id}`, { field: "order_id" });
}

export async function orderAndPayment(db: Database, found: OrderWithItems) {
  const refunds = await refundsOf(db, [found.order.id]);
  return { order: toOrder(found), payment: toOrderPayment(found.order, refunds) };
}

// The work that is due for orders, and who does it: one worker, whatever the reason.
import { continueTrace } from "../platform/trace.ts";
import { beginClosing, close } from "./close.ts";
import { initiatePayment } from "./initiate.ts";
import { refundLateMoney } from "./late-money.ts";
import { factsOf } from "./news.ts";
import { dueWork, isFinal } from "./order.ts";
import type { OrderParts } from "./parts.ts";
import { claimDueOrders, saveDue, type OrderRow } from "./store.ts";

/** How long a worker may take with an order before another one may take it, in milliseconds. */
export const DUE_LEASE_MS = 5000;
const WORKER_BATCH = 16;

/** Does what is due. The number of orders that were. */
export async function doDueWork(parts: OrderParts): Promise<number> {
  const due = await claimDueOrders(parts.db, WORKER_BATCH, DUE_LEASE_MS);
  const ends = await Promise.allSettled(
    due.map((order) => continueTrace(order.traceparent, () => doDue(parts, order))),
  );
  for (const [place, end] of ends.entries()) {
    if (end.status === "rejected") {
      const fields = { orderId: due[place]?.id, error: end.reason as unknown };
      parts.log.warn(fields, "the work that is due for an order is tried again later");
    }
  }
  return due.length;
}

async function doDue(parts: OrderParts, order: OrderRow): Promise<void> {
  const facts = factsOf(order);
  const { lateMoney, initiated } = order;
  const isExpired = order.expireTime.getTime() <= Date.now();
  switch (dueWork({ ...facts, lateMoney, initiated, isExpired })) {
    case "refund_late_money":
      return await refundLateMoney(parts, order);
    case "close":
      return void (await close(parts, order));
    case "initiate":
      return await initiate(parts, order);
    case "expire":
      return await expire(parts, order.id);
    case "nothing":
      return await saveDue(parts.db, order, {
        dueTime: isFinal(facts.status) ? null : order.expireTime,
      });
    default:
      throw new Error("there is no such work");
  }
}

/**
 * Once the Payment service has the order, the worker is done with it. CreateOrder leaves that to the payment's event, which tells
 * the same a moment later; here the event is late already, and the order must not be asked for again and again.
 */
async function initiate(parts: OrderParts, order: OrderRow): Promise<void> {
  const { id } = await initiatePayment(parts, order);
  if (id !== "")
    await saveDue(parts.db, order, {
      paymentId: id,
      initiated: true,
      dueTime: order.expireTime,
    });
}

async function expire(parts: OrderParts, id: string): Promise<void> {
  const order = await beginClosing(parts, id, {
    to: "EXPIRED",
    scope: undefined,
    expectedVersion: 0n,
  });
  if (order !== undefined) await close(parts, order);
}

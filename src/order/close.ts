// Cancels or expires an order: its payment first, then the order. Money that was quicker makes it PAID.
import { Code, ConnectError } from "@connectrpc/connect";
import { PaymentStatus, type Payment } from "../../gen/waybill/payment/v1/payment_pb.js";
import { Refusal } from "../platform/refusal.ts";
import { TransientError } from "../platform/transient.ts";
import { applyNews, factsOf } from "./news.ts";
import { isFinal, whyNotCancellable, type Closing, type PaymentState } from "./order.ts";
import type { OrderParts, PaymentCall } from "./parts.ts";
import { callOptions } from "./payment-call.ts";
import { changeOrder, lockOrder, type OrderRow } from "./store.ts";

/** How long a worker may take to cancel a payment before another one may try, in milliseconds. */
const CLOSE_LEASE_MS = 10_000;
/** An order whose bank is at work when it should expire is looked at again after this, in milliseconds. */
const EXPIRE_AGAIN_MS = 3_600_000;

export interface CloseRequest {
  readonly to: Closing;
  /** The customer whose order it must be; undefined: any. */
  readonly scope: string | undefined;
  /** 0: any. */
  readonly expectedVersion: bigint;
}

/**
 * Commits what is meant before the Payment service is asked: if this process dies, a worker goes on. Undefined: no such order. Gives
 * an order that is so already as it is, or is on its way there, for whoever repeats the call; refuses one that is final in another way.
 */
export function beginClosing(
  parts: OrderParts,
  id: string,
  request: CloseRequest,
): Promise<OrderRow | undefined> {
  return parts.inTransaction(async (tx) => {
    const order = await lockOrder(tx, id, request.scope);
    if (order === undefined || order.status === request.to || order.closing === request.to)
      return order;
    mustBeVersion(order, request.expectedVersion);
    const why = whyNotCancellable(factsOf(order));
    if (why !== undefined) throw new Refusal("failed_precondition", `${why} and cannot be closed`);
    if (order.closing !== null) return order;
    const dueTime = new Date(Date.now() + CLOSE_LEASE_MS);
    return await changeOrder(tx, order, { closing: request.to, dueTime, tries: 0 });
  });
}

export function mustBeVersion(order: OrderRow, expected: bigint): void {
  if (expected === 0n || expected === order.version) return;
  throw new Refusal(
    "aborted",
    `the order has the version ${order.version}, not ${expected}; read it again and decide anew`,
    { field: "expected_version" },
  );
}

/**
 * Asks the Payment service to give the payment up, and makes the order what came of it. Refuses with failed_precondition while the
 * bank is at work; throws a TransientError when it cannot be told now.
 */
export async function close(
  parts: OrderParts,
  order: OrderRow,
  call: PaymentCall = {},
): Promise<OrderRow> {
  if (order.closing === null || isFinal(factsOf(order).status)) return order;
  const payment = await cancelPayment(parts, order, call);
  return await parts.inTransaction(async (tx) => {
    const locked = await lockOrder(tx, order.id);
    if (locked === undefined) throw new Error(`the order ${order.id} is gone`);
    const { order: next } = await applyNews(tx, parts.outbox, locked, {
      status: PaymentStatus[payment.status] as PaymentState,
      paymentId: payment.id,
      attemptNumber: payment.attemptNumber,
      declineCode: payment.declineCode,
    });
    return next;
  });
}

async function cancelPayment(
  parts: OrderParts,
  order: OrderRow,
  call: PaymentCall,
): Promise<Payment> {
  try {
    const { payment } = await parts.payments.cancelPayment(
      {
        orderId: order.id,
        customerId: order.customerId,
        amount: { currencyCode: order.currencyCode, minorUnits: order.totalMinorUnits },
        abandoned: order.closing === "EXPIRED",
      },
      callOptions(call),
    );
    if (payment !== undefined) return payment;
    throw new TransientError("the Payment service told of no payment");
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    if (code !== Code.FailedPrecondition)
      throw new TransientError("the payment cannot be cancelled now", { cause: error });
    await giveUpClosing(parts, order);
    throw new Refusal("failed_precondition", `the order cannot be closed now: ${rawMessage}`);
  }
}

/** The order is open again. One that should have expired is looked at later. */
function giveUpClosing(parts: OrderParts, { id }: OrderRow): Promise<void> {
  return parts.inTransaction(async (tx) => {
    const order = await lockOrder(tx, id);
    if (order === undefined || order.closing === null) return;
    const soonest = Date.now() + EXPIRE_AGAIN_MS;
    const expireTime = new Date(Math.max(order.expireTime.getTime(), soonest));
    const again = order.closing === "EXPIRED" ? { expireTime } : {};
    const dueTime = again.expireTime ?? order.expireTime;
    await changeOrder(tx, order, { closing: null, dueTime, tries: 0, ...again });
  });
}

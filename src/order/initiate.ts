// Asks the Payment service to take an order's money. When it cannot be asked now, the worker asks again: the order waits.
import { Code, ConnectError, createContextValues, type Client } from "@connectrpc/connect";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import type { OrderPayment } from "../../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import type { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Backbone } from "../platform/backbone.ts";
import type { Log } from "../platform/log.ts";
import { onBehalfOfKey } from "../platform/rpc/client.ts";
import { continueTrace } from "../platform/trace.ts";
import {
  claimDueOrders,
  lockOrder,
  saveOrderChange,
  savePaymentId,
  type OrderRow,
} from "./store.ts";
import { toOrderPayment } from "./wire.ts";

/** How long CreateOrder waits for the Payment service, in milliseconds. The order is taken whatever comes of it. */
const INITIATE_TIMEOUT_MS = 4000;
/** What is kept of the caller's time for the answer itself, in milliseconds. */
const ANSWER_RESERVE_MS = 100;
/** How long a worker may take with an order before another one may take it, in milliseconds. */
export const INITIATE_LEASE_MS = 5000;
const WORKER_BATCH = 16;

/** The decline_code of an order whose total cannot be charged at all; the others are Stripe's. */
const NOT_CHARGEABLE = "amount_not_chargeable";

export interface OrderParts extends Pick<Backbone, "db" | "outbox" | "inTransaction"> {
  readonly payments: Client<typeof PaymentService>;
  readonly log: Log;
}

export interface InitiateCall {
  /** The customer in whose name it is asked; a worker asks in its own. */
  readonly onBehalfOf?: string;
  /** What is left of the caller's time, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** The payment as far as it got. Does not throw: a payment that could not be initiated is PENDING_INITIATION. */
export async function initiatePayment(
  parts: OrderParts,
  order: OrderRow,
  call: InitiateCall = {},
): Promise<OrderPayment> {
  const left =
    call.timeoutMs === undefined ? INITIATE_TIMEOUT_MS : call.timeoutMs - ANSWER_RESERVE_MS;
  const answer = toOrderPayment(order);
  if (left <= 0) return answer;
  try {
    const { payment, clientSecret } = await parts.payments.initiatePayment(
      {
        orderId: order.id,
        attemptNumber: order.attemptNumber,
        customerId: order.customerId,
        amount: { currencyCode: order.currencyCode, minorUnits: order.totalMinorUnits },
        paymentMethod: order.paymentMethod,
      },
      {
        timeoutMs: Math.min(INITIATE_TIMEOUT_MS, left),
        ...(call.onBehalfOf && {
          contextValues: createContextValues().set(onBehalfOfKey, call.onBehalfOf),
        }),
      },
    );
    if (payment === undefined) return answer;
    answer.id = payment.id;
    answer.status = payment.status;
    answer.declineCode = payment.declineCode;
    answer.clientSecret = clientSecret;
  } catch (error) {
    if (ConnectError.from(error).code === Code.InvalidArgument) {
      parts.log.error({ orderId: order.id, error }, "the total of an order cannot be charged");
      await refuseOrder(parts, order);
      return { ...answer, status: PaymentStatus.FAILED, declineCode: NOT_CHARGEABLE };
    }
    parts.log.warn(
      { orderId: order.id, error },
      "the payment could not be initiated yet; the worker asks again",
    );
  }
  return answer;
}

/** The Payment service will never take this order's total: asking again would change nothing. */
function refuseOrder(
  parts: OrderParts,
  { id, customerId, attemptNumber }: OrderRow,
): Promise<void> {
  return parts.inTransaction(async (tx) => {
    const order = await lockOrder(tx, id);
    if (order?.status !== "PENDING") return;
    await saveOrderChange(tx, id, {
      status: "FAILED",
      paymentStatus: "FAILED",
      declineCode: NOT_CHARGEABLE,
      initiateDueTime: null,
    });
    await parts.outbox.publish(tx, OrderEventSchema, {
      orderId: id,
      customerId,
      event: { case: "orderFailed", value: { declineCode: NOT_CHARGEABLE, attemptNumber } },
    });
  });
}

/** Asks for the orders that are due. The number of them. */
export async function initiateDuePayments(parts: OrderParts): Promise<number> {
  const due = await claimDueOrders(parts.db, WORKER_BATCH, INITIATE_LEASE_MS);
  await Promise.all(
    due.map((order) => continueTrace(order.traceparent, () => initiateDue(parts, order))),
  );
  return due.length;
}

/**
 * Once the Payment service has the order, the worker is done with it. CreateOrder leaves that to the payment's event, which tells
 * the same a moment later; here the event is late already, and the order must not be asked for again and again.
 */
async function initiateDue(parts: OrderParts, order: OrderRow): Promise<void> {
  const { id } = await initiatePayment(parts, order);
  if (id !== "") await savePaymentId(parts.db, order.id, id);
}

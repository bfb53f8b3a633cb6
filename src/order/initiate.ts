// Asks the Payment service to take an order's money. When it cannot be asked now, the worker asks again: the order waits.
import { createContextValues, type Client } from "@connectrpc/connect";
import type { OrderPayment } from "../../gen/waybill/order/v1/order_pb.js";
import type { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Database } from "../platform/database/open.ts";
import type { Log } from "../platform/log.ts";
import { onBehalfOfKey } from "../platform/rpc/client.ts";
import { claimDueOrders, savePaymentId, type OrderRow } from "./store.ts";
import { toOrderPayment } from "./wire.ts";

/** How long CreateOrder waits for the Payment service, in milliseconds. The order is taken whatever comes of it. */
const INITIATE_TIMEOUT_MS = 4000;
/** What is kept of the caller's time for the answer itself, in milliseconds. */
const ANSWER_RESERVE_MS = 100;
/** How long a worker may take with an order before another one may take it, in milliseconds. */
export const INITIATE_LEASE_MS = 5000;
const WORKER_BATCH = 16;

export interface InitiateParts {
  readonly db: Database;
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
  parts: InitiateParts,
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
    await savePaymentId(parts.db, order.id, payment.id);
    answer.id = payment.id;
    answer.status = payment.status;
    answer.declineCode = payment.declineCode;
    answer.clientSecret = clientSecret;
  } catch (error) {
    parts.log.warn(
      { orderId: order.id, error },
      "the payment could not be initiated yet; the worker asks again",
    );
  }
  return answer;
}

/** Asks for the orders that are due. The number of them. */
export async function initiateDuePayments(parts: InitiateParts): Promise<number> {
  const due = await claimDueOrders(parts.db, WORKER_BATCH, INITIATE_LEASE_MS);
  await Promise.all(due.map((order) => initiatePayment(parts, order)));
  return due.length;
}

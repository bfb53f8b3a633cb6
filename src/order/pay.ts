// PayOrder: another attempt for an order that is not paid, on the same PaymentIntent.
import type { HandlerContext } from "@connectrpc/connect";
import {
  PayOrderRequestSchema,
  type PayOrderRequest,
} from "../../gen/waybill/order/v1/order_service_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import { violatesUnique } from "../platform/database/unique.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { traceToStore } from "../platform/trace.ts";
import { mustFindOrder, orderAndPayment } from "./answer.ts";
import { mustBeVersion } from "./close.ts";
import { DUE_LEASE_MS } from "./due.ts";
import { initiatePayment } from "./initiate.ts";
import { factsOf } from "./news.ts";
import { isFinal, whyNotPayable, type PaymentState } from "./order.ts";
import type { OrderParts } from "./parts.ts";
import { mustBeSame, requestHash } from "./request.ts";
import {
  changeOrder,
  findRequest,
  lockOrder,
  REQUEST_KEY,
  saveRequest,
  type OrderRow,
} from "./store.ts";
import { toOrder } from "./wire.ts";

export async function payOrder(
  parts: OrderParts,
  request: PayOrderRequest,
  context: HandlerContext,
) {
  const customer = principalOf(context);
  if (customer.kind !== "customer")
    throw new Refusal("permission_denied", "only a customer may pay an order");
  const order = await beginAttempt(parts, request, customer.id);
  const find = () => mustFindOrder(parts.db, order.id, customer.id);
  // Repeated when it is over: what came of it is known.
  if (isFinal(factsOf(order).status)) return await orderAndPayment(parts.db, await find());
  const payment = await initiatePayment(parts, order, {
    onBehalfOf: customer.id,
    timeoutMs: context.timeoutMs(),
  });
  return { order: toOrder(await find()), payment };
}

/** The order as the attempt finds it: a new one, the one that this request made before, or the one that waits for the customer. */
async function beginAttempt(
  parts: OrderParts,
  request: PayOrderRequest,
  customerId: string,
): Promise<OrderRow> {
  const { orderId, requestId } = request;
  try {
    return await parts.inTransaction(async (tx) => {
      const order = await lockOrder(tx, orderId, customerId);
      if (order === undefined)
        throw new Refusal("not_found", `there is no order ${orderId}`, { field: "order_id" });
      // Looked for behind the lock: a first call with this ID has ended, or not begun.
      const known = await findRequest(tx, customerId, requestId);
      if (known === undefined) return await newAttempt(tx, order, request);
      mustBeSame(known, PayOrderRequestSchema, request);
      return { ...order, attemptNumber: known.attemptNumber };
    });
  } catch (error) {
    if (!violatesUnique(error, REQUEST_KEY)) throw error;
    throw new Refusal(
      "invalid_argument",
      "this request_id was used for another order; choose a new one for each attempt to pay",
      { field: "request_id", reason: "IDEMPOTENCY_KEY_REUSED" },
    );
  }
}

/** Commits what is meant before the Payment service is asked. */
async function newAttempt(
  tx: Transaction,
  order: OrderRow,
  request: PayOrderRequest,
): Promise<OrderRow> {
  mustBeVersion(order, request.expectedVersion);
  const paymentStatus = order.paymentStatus as PaymentState;
  // Without a method nothing is charged: the customer pays in the browser, on the attempt that is there.
  const byAttempt = request.paymentMethod !== "" || order.attemptNumber === 0;
  const why = whyNotPayable({ ...factsOf(order), paymentStatus }, { byAttempt });
  if (why !== undefined) throw new Refusal("failed_precondition", `${why}: it cannot be paid now`);
  if (!byAttempt) return order;
  const next = await changeOrder(tx, order, {
    status: "PENDING",
    paymentStatus: "PENDING_INITIATION",
    declineCode: "",
    attemptNumber: order.attemptNumber + 1,
    paymentMethod: request.paymentMethod,
    initiated: false,
    dueTime: new Date(Date.now() + DUE_LEASE_MS),
    tries: 0,
    traceparent: traceToStore(),
  });
  const { id: orderId, customerId, attemptNumber, updateTime: createTime } = next;
  const hash = requestHash(PayOrderRequestSchema, request);
  await together([
    saveRequest(tx, {
      customerId,
      requestId: request.requestId,
      requestHash: hash,
      orderId,
      attemptNumber,
      createTime,
    }),
    recordTimeline(tx, {
      orderId,
      customerId,
      type: "order.pay_again",
      text: `Attempt ${attemptNumber} to pay begins.`,
      visibility: "PUBLIC",
    }),
  ]);
  return next;
}

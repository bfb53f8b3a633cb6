// CreateOrder: the order is stored before anyone is charged.
import type { HandlerContext } from "@connectrpc/connect";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import {
  CreateOrderRequestSchema,
  type CreateOrderRequest,
} from "../../gen/waybill/order/v1/order_service_pb.js";
import type { OrderPayment } from "../../gen/waybill/order/v1/order_pb.js";
import { together } from "../platform/events/together.ts";
import { limitLockWait, waitedTooLong } from "../platform/database/lock-wait.ts";
import { violatesUnique } from "../platform/database/unique.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { orderAndPayment } from "./answer.ts";
import { draftOrder } from "./draft.ts";
import { initiatePayment } from "./initiate.ts";
import { factsOf } from "./news.ts";
import { isFinal } from "./order.ts";
import type { OrderParts, PaymentCall } from "./parts.ts";
import { findProducts } from "./product-store.ts";
import { mustBeSame, requestHash } from "./request.ts";
import {
  findOrder,
  findRequest,
  REQUEST_KEY,
  saveOrder,
  type OrderWithItems,
  type RequestRow,
} from "./store.ts";
import { orderCreated, toOrder, toOrderPayment } from "./wire.ts";

export async function createOrder(
  parts: OrderParts,
  request: CreateOrderRequest,
  context: HandlerContext,
) {
  const customer = principalOf(context);
  if (customer.kind !== "customer")
    throw new Refusal("permission_denied", "only a customer may order");
  const [known, priceBook] = await Promise.all([
    findRequest(parts.db, customer.id, request.requestId),
    findProducts(
      parts.db,
      request.items.map((item) => item.sku),
    ),
  ]);
  const taken =
    known === undefined
      ? await takeOrder(
          parts,
          request,
          draftOrder(request, customer, { priceBook, expireAfterMs: parts.expireAfterMs }),
          (context.timeoutMs() ?? WAIT_LIMIT_MS) - ANSWER_RESERVE_MS,
        )
      : await sameOrder(parts, request, known);
  // Repeated when the order is closed, or no attempt was let in: there is nothing to start, and no secret to fetch.
  const { closing, status, attemptNumber } = factsOf(taken.order);
  if (isFinal(status) || closing !== undefined || attemptNumber === 0)
    return await orderAndPayment(parts.db, taken);
  const call = { onBehalfOf: customer.id, timeoutMs: context.timeoutMs() };
  return { order: toOrder(taken), payment: await startPayment(parts, taken, call) };
}

/** How long another call with the same request_id is waited for, in milliseconds; less where the caller has less time. */
const WAIT_LIMIT_MS = 10_000;
/** What is kept of the caller's time for the answer itself, in milliseconds. */
const ANSWER_RESERVE_MS = 200;

/** The order is taken, whatever the Payment service says to its first attempt. */
async function startPayment(
  parts: OrderParts,
  { order }: OrderWithItems,
  call: PaymentCall,
): Promise<OrderPayment> {
  try {
    return await initiatePayment(parts, order, call);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const declineCode = error.reason?.toLowerCase() ?? "";
    return { ...toOrderPayment(order), status: PaymentStatus.FAILED, declineCode };
  }
}

/** Stores a new order with its event in one transaction; or finds the one that another call with the same request_id made meanwhile. */
async function takeOrder(
  parts: OrderParts,
  request: CreateOrderRequest,
  draft: OrderWithItems,
  withinMs: number,
): Promise<OrderWithItems> {
  const { id: orderId, customerId, createTime } = draft.order;
  const { requestId } = request;
  const hash = requestHash(CreateOrderRequestSchema, request);
  const row = { customerId, requestId, requestHash: hash, orderId, createTime };
  try {
    await parts.inTransaction(async (tx) => {
      await together([
        limitLockWait(tx, Math.min(withinMs, WAIT_LIMIT_MS)),
        saveOrder(tx, row, draft),
        parts.outbox.publish(tx, OrderEventSchema, orderCreated(draft)),
        recordTimeline(tx, {
          orderId,
          customerId,
          type: "order.created",
          text: "The order was taken.",
          visibility: "PUBLIC",
        }),
      ]);
    });
    return draft;
  } catch (error) {
    if (violatesUnique(error, REQUEST_KEY))
      return await sameOrder(parts, request, await findRequest(parts.db, customerId, requestId));
    if (waitedTooLong(error))
      throw new Refusal(
        "aborted",
        "the first call with this request_id is at work still; try again",
      );
    throw error;
  }
}

/** The order that the same request made before (AIP-155). Refuses the ID for another request. */
async function sameOrder(
  parts: OrderParts,
  request: CreateOrderRequest,
  known: RequestRow | undefined,
): Promise<OrderWithItems> {
  const found = known && (await findOrder(parts.db, known.orderId, known.customerId));
  if (known === undefined || found === undefined)
    throw new Refusal("aborted", "the first call with this request_id was given up; try again");
  mustBeSame(known, CreateOrderRequestSchema, request);
  return found;
}

// What the news of a payment does to an order: decided by the table, saved with the event and the timeline.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import {
  isFinal,
  onPaymentStatus,
  type Closing,
  type Decision,
  type OrderFacts,
  type OrderState,
  type PaymentNews,
} from "./order.ts";
import { changeOrder, type OrderRow } from "./store.ts";

export interface News extends PaymentNews {
  readonly paymentId: string;
  /** With FAILED: why, in Stripe's words. */
  readonly declineCode: string;
  /** It brings back what everybody has heard before: nobody is told again. */
  readonly isTold?: boolean;
}

export const factsOf = (order: OrderRow): OrderFacts => ({
  status: order.status as OrderState,
  attemptNumber: order.attemptNumber,
  closing: (order.closing ?? undefined) as Closing | undefined,
});

/** Applies the news to an order that is locked. Gives the order after it. */
export async function applyNews(
  tx: Transaction,
  outbox: Outbox,
  order: OrderRow,
  news: News,
): Promise<{ decision: Decision; order: OrderRow }> {
  const decision = onPaymentStatus(factsOf(order), news);
  if (!decision.change) {
    const isNoted = order.paymentStatus === news.status;
    if (!decision.moneyIsLate || isNoted) return { decision, order };
    return { decision, order: await noteLateMoney(tx, order, news) };
  }
  const { status } = decision;
  const change = {
    status,
    paymentId: news.paymentId === "" ? order.paymentId : news.paymentId,
    paymentStatus: news.status,
    declineCode: news.declineCode,
    attemptNumber: Math.max(order.attemptNumber, news.attemptNumber),
    initiated: true,
    dueTime: isFinal(status) ? null : order.expireTime,
    tries: 0,
    ...(isFinal(status) && { closing: null }),
    // A worker that closes the order goes on with it.
    ...(!isFinal(status) && order.closing !== null && { dueTime: order.dueTime }),
  };
  if (status === order.status || news.isTold)
    return { decision, order: await changeOrder(tx, order, change) };
  // Sent together, run one after the other: one round trip.
  const [next] = await together([
    changeOrder(tx, order, change),
    publishChange(tx, outbox, order, { status, news }),
    recordTimeline(tx, {
      orderId: order.id,
      customerId: order.customerId,
      type: `order.${status.toLowerCase()}`,
      text: sentence(status, news),
      visibility: "PUBLIC",
      references: { payment_id: news.paymentId },
    }),
  ]);
  return { decision, order: next };
}

async function noteLateMoney(tx: Transaction, order: OrderRow, news: News): Promise<OrderRow> {
  const { paymentId } = news;
  await recordTimeline(tx, {
    orderId: order.id,
    customerId: order.customerId,
    type: "order.late_money",
    text: `Money came when the order was ${order.status} already; it is given back.`,
    visibility: "PUBLIC",
    references: { payment_id: paymentId },
  });
  const change = { lateMoney: true, paymentId, paymentStatus: news.status, dueTime: new Date() };
  return await changeOrder(tx, order, { ...change, tries: 0 });
}

/** What Order tells of its own change, if anything: that an order is PENDING again goes without saying. */
async function publishChange(
  tx: Transaction,
  outbox: Outbox,
  { id, customerId }: OrderRow,
  { status, news }: { readonly status: OrderState; readonly news: News },
): Promise<void> {
  const event = eventOf(status, news);
  if (event === undefined) return;
  await outbox.publish(tx, OrderEventSchema, { orderId: id, customerId, event });
}

function eventOf(
  status: OrderState,
  { paymentId, declineCode, attemptNumber }: News,
): MessageInitShape<typeof OrderEventSchema>["event"] {
  switch (status) {
    case "PAID":
      return { case: "orderPaid", value: { paymentId } };
    case "FAILED":
      return { case: "orderFailed", value: { paymentId, declineCode, attemptNumber } };
    case "CANCELLED":
      return { case: "orderCancelled", value: {} };
    case "EXPIRED":
      return { case: "orderExpired", value: {} };
    case "PENDING":
      return undefined;
    default:
      return status satisfies never;
  }
}

function sentence(status: OrderState, { declineCode, attemptNumber }: News): string {
  switch (status) {
    case "PAID":
      return "The order is paid.";
    case "FAILED":
      return `Attempt ${attemptNumber} to pay was refused${declineCode === "" ? "" : ` (${declineCode})`}; it may be paid again.`;
    case "CANCELLED":
      return "The order is cancelled.";
    case "EXPIRED":
      return "The order was not paid in time.";
    case "PENDING":
      return `Attempt ${attemptNumber} to pay is under way.`;
    default:
      return status satisfies never;
  }
}

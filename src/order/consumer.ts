// What the Order service does with the events of others.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentDisputed,
  type PaymentRefunded,
  type PaymentStatusEvent,
  type PaymentStatusUpdated,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import type { Outcome, Subscription } from "../platform/events/subscription.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { applyNews } from "./news.ts";
import type { PaymentState } from "./order.ts";
import { saveRefund } from "./refund-store.ts";
import { changeOrder, lockOrder, type OrderRow } from "./store.ts";

const APPLIED: Outcome = { outcome: "applied" };
const ignored = (reason: string): Outcome => ({ outcome: "ignored", reason });

export const orderSubscriptions = (outbox: Outbox): Subscription[] => [
  {
    schema: PaymentStatusEventSchema,
    handle: async (tx, event: PaymentStatusEvent) => {
      const order = await lockOrder(tx, event.orderId);
      if (order === undefined) return ignored("no order of ours");
      switch (event.event.case) {
        case "paymentStatusUpdated":
          return await onPaymentStatusUpdated(tx, outbox, order, {
            paymentId: event.paymentId,
            news: event.event.value,
          });
        case "paymentRefunded":
          return await onPaymentRefunded(tx, order, event.paymentId, event.event.value);
        case "paymentDisputed":
          return await onPaymentDisputed(tx, order, event.event.value);
        default:
          return ignored("this version does not know the event");
      }
    },
  },
];

async function onPaymentStatusUpdated(
  tx: Transaction,
  outbox: Outbox,
  order: OrderRow,
  { paymentId, news }: { readonly paymentId: string; readonly news: PaymentStatusUpdated },
): Promise<Outcome> {
  const status = PaymentStatus[news.status] as PaymentState | undefined;
  if (status === undefined || news.status === PaymentStatus.UNSPECIFIED)
    return ignored(`this version does not know the payment status ${news.status}`);
  const { decision } = await applyNews(tx, outbox, order, {
    status,
    paymentId,
    attemptNumber: news.attemptNumber,
    declineCode: news.declineCode,
  });
  return decision.change || decision.moneyIsLate ? APPLIED : ignored(decision.reason);
}

/** A facet: the order's status stays. */
async function onPaymentRefunded(
  tx: Transaction,
  order: OrderRow,
  paymentId: string,
  { refund }: PaymentRefunded,
): Promise<Outcome> {
  if (refund === undefined) return ignored("it names no refund");
  const status = RefundStatus[refund.status];
  const reason = RefundReason[refund.reason];
  if (status === undefined || reason === undefined || refund.status === RefundStatus.UNSPECIFIED)
    return ignored("this version does not know the status or reason of the refund");
  const minorUnits = refund.amount?.minorUnits ?? 0n;
  await together([
    saveRefund(tx, {
      id: refund.id,
      orderId: order.id,
      paymentId,
      minorUnits,
      status,
      reason,
      failureReason: refund.failureReason,
      stripeRefundId: refund.stripeRefundId,
      createTime: refund.createTime ? timestampDate(refund.createTime) : new Date(),
      updateTime: refund.updateTime ? timestampDate(refund.updateTime) : new Date(),
    }),
    changeOrder(tx, order, {}),
    recordTimeline(tx, {
      orderId: order.id,
      customerId: order.customerId,
      type: `refund.${status.toLowerCase()}`,
      text: `A refund of ${minorUnits} minor units of ${order.currencyCode} is ${status}.`,
      visibility: "PUBLIC",
      references: { payment_id: paymentId, refund_id: refund.id },
    }),
  ]);
  return APPLIED;
}

async function onPaymentDisputed(
  tx: Transaction,
  order: OrderRow,
  { disputed, dispute }: PaymentDisputed,
): Promise<Outcome> {
  await together([
    changeOrder(tx, order, { disputed }),
    recordTimeline(tx, {
      orderId: order.id,
      customerId: order.customerId,
      type: disputed ? "order.disputed" : "order.dispute_over",
      text: disputed ? "The payment is disputed." : "The payment is not disputed any more.",
      visibility: "OPERATOR",
      references: { dispute_id: dispute?.id ?? "" },
    }),
  ]);
  return APPLIED;
}

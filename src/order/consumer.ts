// What the Order service does with the events of others.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentStatusEvent,
  type PaymentStatusUpdated,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import type { Outcome, Subscription } from "../platform/events/subscription.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import { onPaymentStatus, type OrderState, type PaymentState } from "./order.ts";
import { lockOrder, saveOrderChange } from "./store.ts";
import { together } from "../platform/events/together.ts";

export const orderSubscriptions = (outbox: Outbox): Subscription[] => [
  {
    schema: PaymentStatusEventSchema,
    handle: (tx, event: PaymentStatusEvent) => {
      switch (event.event.case) {
        case "paymentStatusUpdated":
          return onPaymentStatusUpdated(tx, outbox, event, event.event.value);
        default:
          return Promise.resolve({
            outcome: "ignored",
            reason: "this version does not know the event",
          });
      }
    },
  },
];

async function onPaymentStatusUpdated(
  tx: Transaction,
  outbox: Outbox,
  event: PaymentStatusEvent,
  news: PaymentStatusUpdated,
): Promise<Outcome> {
  const status = PaymentStatus[news.status] as PaymentState | undefined;
  if (status === undefined || news.status === PaymentStatus.UNSPECIFIED)
    return {
      outcome: "ignored",
      reason: `this version does not know the payment status ${news.status}`,
    };
  const order = await lockOrder(tx, event.orderId);
  if (order === undefined) return { outcome: "ignored", reason: "no order of ours" };

  const decision = onPaymentStatus(
    { status: order.status as OrderState, attemptNumber: order.attemptNumber },
    { status, attemptNumber: news.attemptNumber },
  );
  if (!decision.change) return { outcome: "ignored", reason: decision.reason };

  const change =
    decision.status === order.status ? undefined : changeEvent(decision.status, event, news);
  const { orderId, customerId, paymentId } = event;
  await together([
    saveOrderChange(tx, orderId, {
      status: decision.status,
      paymentId,
      paymentStatus: status,
      declineCode: news.declineCode,
      initiateDueTime: null,
    }),
    change && outbox.publish(tx, OrderEventSchema, { orderId, customerId, event: change }),
  ]);
  return { outcome: "applied" };
}

/** What Order tells of its own change, if anything: that an order is PENDING again goes without saying. */
function changeEvent(
  status: OrderState,
  { paymentId }: PaymentStatusEvent,
  { declineCode, attemptNumber }: PaymentStatusUpdated,
): MessageInitShape<typeof OrderEventSchema>["event"] {
  if (status === "PAID") return { case: "orderPaid", value: { paymentId } };
  if (status === "FAILED") {
    return { case: "orderFailed", value: { paymentId, declineCode, attemptNumber } };
  }
  return undefined;
}

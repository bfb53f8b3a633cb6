// The events in which a payment tells of itself.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PaymentEventSchema } from "../../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import { isDisputed } from "./dispute.ts";
import type { DisputeRow, Facets, RefundRow } from "./facet-store.ts";
import type { PaymentState } from "./payment.ts";
import { refundedOf } from "./refund.ts";
import type { PaymentRow } from "./store.ts";
import { toDispute, toRefund } from "./wire.ts";

/** A payment was stored, and Stripe is about to be called. */
export async function publishCreated(
  tx: Transaction,
  outbox: Outbox,
  payment: PaymentRow,
): Promise<void> {
  const { orderId, customerId, id: paymentId } = payment;
  await outbox.publish(tx, PaymentEventSchema, {
    orderId,
    customerId,
    paymentId,
    event: { case: "paymentCreated", value: { amount: amountOf(payment) } },
  });
}

/** Its status is another one now. */
export const publishStatus = (
  tx: Transaction,
  outbox: Outbox,
  payment: PaymentRow,
): Promise<void> =>
  publish(tx, outbox, payment, {
    case: "paymentStatusUpdated",
    value: {
      status: PaymentStatus[payment.status as PaymentState],
      attemptNumber: payment.attemptNumber,
      amount: amountOf(payment),
      declineCode: payment.declineCode,
      updateTime: timestampFromDate(payment.updateTime),
    },
  });

/** A refund was made or changed; `refunds` are all of the payment's, as they are now. */
export const publishRefunded = (
  tx: Transaction,
  outbox: Outbox,
  payment: PaymentRow,
  { refund, refunds }: { readonly refund: RefundRow } & Pick<Facets, "refunds">,
): Promise<void> =>
  publish(tx, outbox, payment, {
    case: "paymentRefunded",
    value: {
      refund: toRefund(refund),
      refunded: { currencyCode: payment.currencyCode, minorUnits: refundedOf(refunds) },
    },
  });

/** A dispute was opened or changed; `disputes` are all of the payment's, as they are now. */
export const publishDisputed = (
  tx: Transaction,
  outbox: Outbox,
  payment: PaymentRow,
  { dispute, disputes }: { readonly dispute: DisputeRow } & Pick<Facets, "disputes">,
): Promise<void> =>
  publish(tx, outbox, payment, {
    case: "paymentDisputed",
    value: { dispute: toDispute(dispute), disputed: isDisputed(disputes) },
  });

async function publish(
  tx: Transaction,
  outbox: Outbox,
  { orderId, customerId, id: paymentId }: PaymentRow,
  event: NonNullable<MessageInitShape<typeof PaymentStatusEventSchema>["event"]>,
): Promise<void> {
  await outbox.publish(tx, PaymentStatusEventSchema, { orderId, customerId, paymentId, event });
}

const amountOf = ({ currencyCode, minorUnits }: PaymentRow) => ({ currencyCode, minorUnits });

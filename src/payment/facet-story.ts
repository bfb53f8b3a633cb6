// What the timeline says of refunds and disputes. For operators: their customers hear of them from Order.
import type { Happened } from "../platform/timeline/store.ts";
import type { DisputeRow, RefundRow } from "./facet-store.ts";
import type { PaymentRow } from "./store.ts";
import { about } from "./story.ts";

const amountOf = ({ minorUnits, currencyCode }: RefundRow | DisputeRow): string =>
  `${minorUnits} minor units of ${currencyCode}`;

/** Before Stripe is called. */
export const refundAskedLine = (payment: PaymentRow, refund: RefundRow): Happened =>
  about(payment, {
    type: "refund.asked_for",
    text: `A refund of ${amountOf(refund)} is asked for (${refund.reason}).`,
    references: { refund_id: refund.id },
  });

/** It is new, or another one than it was. */
export const refundLine = (payment: PaymentRow, refund: RefundRow): Happened =>
  about(payment, {
    type: `refund.${refund.status.toLowerCase()}`,
    text: `The refund of ${amountOf(refund)} is ${refund.status}${refund.failureReason === "" ? "" : ` (${refund.failureReason})`}.`,
    references: {
      refund_id: refund.id,
      ...(refund.stripeRefundId !== null && { stripe_refund_id: refund.stripeRefundId }),
    },
  });

/** It is new, or another one than it was. */
export const disputeLine = (payment: PaymentRow, dispute: DisputeRow): Happened =>
  about(payment, {
    type: `dispute.${dispute.status.toLowerCase()}`,
    text: `The customer's bank disputes ${amountOf(dispute)} (${dispute.reason}): ${dispute.status}.`,
    references: { dispute_id: dispute.id },
  });

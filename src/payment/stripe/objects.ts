// Stripe's objects, as far as this service looks at them.
import type Stripe from "stripe";
import type { DisputeSnapshot } from "../dispute.ts";
import type { Snapshot } from "../payment.ts";
import type { RefundSnapshot } from "../refund.ts";

/** A PaymentIntent, and the secret with which its customer pays. The secret is never stored. */
export interface IntentAnswer {
  readonly snapshot: Snapshot;
  readonly clientSecret: string;
}

export const toIntentAnswer = (intent: Stripe.PaymentIntent): IntentAnswer => ({
  snapshot: toSnapshot(intent),
  clientSecret: intent.client_secret ?? "",
});

export function toSnapshot(intent: Stripe.PaymentIntent): Snapshot {
  const error = intent.last_payment_error;
  return {
    paymentIntentId: intent.id,
    status: intent.status,
    amountReceived: intent.amount_received,
    currency: intent.currency,
    paymentId: intent.metadata?.["payment_id"] ?? "",
    ...(error && { declineCode: error.decline_code ?? error.code ?? error.type }),
  };
}

export const toRefundSnapshot = (refund: Stripe.Refund): RefundSnapshot => ({
  stripeRefundId: refund.id,
  paymentIntentId: idOf(refund.payment_intent),
  refundId: refund.metadata?.["refund_id"] ?? "",
  status: refund.status ?? "",
  amount: refund.amount,
  currency: refund.currency,
  reason: refund.reason ?? "",
  failureReason: refund.failure_reason ?? "",
  created: refund.created,
});

export const toDisputeSnapshot = (dispute: Stripe.Dispute): DisputeSnapshot => ({
  id: dispute.id,
  paymentIntentId: idOf(dispute.payment_intent),
  status: dispute.status,
  amount: dispute.amount,
  currency: dispute.currency,
  reason: dispute.reason,
  created: dispute.created,
});

/** The ID of a reference, whether or not Stripe sent the whole object in its place; "" where there is none. */
const idOf = (reference: string | { readonly id: string } | null): string =>
  typeof reference === "string" ? reference : (reference?.id ?? "");

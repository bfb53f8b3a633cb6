// The rules of refunds: what Stripe's refund means for ours, and how much of a payment is left. Pure.
import type { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";

export type RefundState = Exclude<keyof typeof RefundStatus, "UNSPECIFIED">;
export type RefundCause = Exclude<keyof typeof RefundReason, "UNSPECIFIED">;

/** What a refund of Stripe's said at one moment. */
export interface RefundSnapshot {
  /** "re_…" */
  readonly stripeRefundId: string;
  readonly paymentIntentId: string;
  /** Our own ID of it (metadata.refund_id); "" for one that was made at Stripe. */
  readonly refundId: string;
  /** Stripe's status, an open set. */
  readonly status: string;
  /** In Stripe's units. */
  readonly amount: number;
  /** In lower case, as Stripe writes it. */
  readonly currency: string;
  /** Stripe's word; "" where nobody said. */
  readonly reason: string;
  readonly failureReason: string;
  /** Seconds since 1970. */
  readonly created: number;
}

const STATES: Readonly<Record<string, RefundState>> = {
  pending: "PENDING",
  requires_action: "REQUIRES_ACTION",
  succeeded: "SUCCEEDED",
  failed: "FAILED",
  canceled: "CANCELLED",
};

/** Our status for Stripe's; undefined for one that this version does not know. https://docs.stripe.com/api/refunds/object#refund_object-status */
export const refundStateOf = (status: string): RefundState | undefined => STATES[status];

const CAUSES: Readonly<Record<string, RefundCause>> = {
  requested_by_customer: "REQUESTED_BY_CUSTOMER",
  duplicate: "DUPLICATE",
  fraudulent: "FRAUDULENT",
};

/** Why a refund was made that nobody asked us for. */
export const refundCauseOf = (reason: string): RefundCause => CAUSES[reason] ?? "OTHER";

/** Stripe's word for our reason, where it has one. */
export const stripeReasonOf = (
  cause: RefundCause,
): "requested_by_customer" | "duplicate" | "fraudulent" | undefined => {
  if (cause === "REQUESTED_BY_CUSTOMER") return "requested_by_customer";
  if (cause === "DUPLICATE") return "duplicate";
  return cause === "FRAUDULENT" ? "fraudulent" : undefined;
};

/** The bank has not decided yet: Stripe is asked again. */
export const isRefundOpen = (status: RefundState): boolean =>
  status === "PENDING" || status === "REQUIRES_ACTION";

interface Amount {
  readonly status: string;
  readonly minorUnits: bigint;
}

/** What is given back, or on its way: all but what failed or was given up. */
export const sumOfRefunds = (refunds: readonly Amount[]): bigint =>
  refunds
    .filter(({ status }) => status !== "FAILED" && status !== "CANCELLED")
    .reduce((sum, { minorUnits }) => sum + minorUnits, 0n);

/** What was given back, as the contract tells it: what Stripe has not taken on yet does not count. */
export const refundedOf = (refunds: readonly Amount[]): bigint =>
  sumOfRefunds(refunds.filter(({ status }) => status !== "PENDING_INITIATION"));

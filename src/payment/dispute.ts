// The rules of disputes: what Stripe's dispute means for ours. Pure.
import type { DisputeStatus } from "../../gen/waybill/payment/v1/refund_pb.js";

export type DisputeState = Exclude<keyof typeof DisputeStatus, "UNSPECIFIED">;

/** What a dispute of Stripe's said at one moment. */
export interface DisputeSnapshot {
  /** "du_…" */
  readonly id: string;
  readonly paymentIntentId: string;
  /** Stripe's status, an open set. */
  readonly status: string;
  /** In Stripe's units. */
  readonly amount: number;
  /** In lower case, as Stripe writes it. */
  readonly currency: string;
  readonly reason: string;
  /** Seconds since 1970. */
  readonly created: number;
}

/** https://docs.stripe.com/api/disputes/object#dispute_object-status; a decision that is appealed against opens it again. */
const STATES: Readonly<Record<string, DisputeState>> = {
  warning_needs_response: "WARNING",
  warning_under_review: "WARNING",
  warning_closed: "WARNING_CLOSED",
  prevented: "WARNING_CLOSED",
  needs_response: "OPEN",
  under_review: "OPEN",
  appeal_needs_response: "OPEN",
  appeal_under_review: "OPEN",
  won: "WON",
  lost: "LOST",
};

/** Our status for Stripe's; undefined for one that this version does not know. */
export const disputeStateOf = (status: string): DisputeState | undefined => STATES[status];

/** The states in which the money is at the customer's bank: a question of the bank moves none. */
export const DISPUTED_STATES = ["OPEN", "LOST"] as const satisfies readonly DisputeState[];

/** Whether one of a payment's disputes keeps, or took, its money. */
export const isDisputed = (disputes: readonly { readonly status: string }[]): boolean =>
  disputes.some(({ status }) => DISPUTED_STATES.some((state) => state === status));

// The rules of payments: what Stripe's PaymentIntent means for ours. Pure: no clock, no database, no Stripe.
import type { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";

export type PaymentState = Exclude<keyof typeof PaymentStatus, "UNSPECIFIED">;

/** What a PaymentIntent said at one moment. */
export interface Snapshot {
  readonly paymentIntentId: string;
  /** Stripe's status, an open set. */
  readonly status: string;
  /** In Stripe's units. */
  readonly amountReceived: number;
  /** In lower case, as Stripe writes it. */
  readonly currency: string;
  /** The payment that it says it belongs to (metadata.payment_id). */
  readonly paymentId: string;
  /** Why the last attempt was refused; absent while none was. */
  readonly declineCode?: string;
}

/** What we asked for: a PaymentIntent that took something else goes to REVIEW. */
export interface Expected {
  readonly paymentId: string;
  /** In Stripe's units. */
  readonly amount: number;
  readonly currency: string;
}

export type Decision =
  | { readonly change: true; readonly status: PaymentState; readonly declineCode: string }
  | { readonly change: false; readonly reason: string };

const absorbing = new Set<PaymentState>(["SUCCEEDED", "CANCELLED", "REVIEW"]);

/** No news changes a payment in one of these states. */
export const isFinal = (status: PaymentState): boolean => absorbing.has(status);

/** What a snapshot does to a payment. Success and cancellation absorb; a refused attempt does not: the customer may pay again. */
export function onSnapshot(status: PaymentState, snapshot: Snapshot, expected: Expected): Decision {
  if (isFinal(status))
    return { change: false, reason: `late ${snapshot.status} ignored: already ${status}` };
  const next = stateOf(snapshot, expected);
  if (next === undefined)
    return {
      change: false,
      reason: `this version does not know Stripe's status ${snapshot.status}`,
    };
  const declineCode = next === "FAILED" ? (snapshot.declineCode ?? "") : "";
  return { change: true, status: next, declineCode };
}

/** The table of https://docs.stripe.com/payments/paymentintents/lifecycle in our words. */
function stateOf(snapshot: Snapshot, expected: Expected): PaymentState | undefined {
  switch (snapshot.status) {
    case "requires_payment_method":
      return snapshot.declineCode === undefined ? "REQUIRES_PAYMENT_METHOD" : "FAILED";
    case "requires_confirmation":
      return "REQUIRES_PAYMENT_METHOD";
    case "requires_action":
      return "REQUIRES_ACTION";
    case "processing":
      return "PROCESSING";
    case "requires_capture":
      return "AUTHORIZED";
    case "succeeded":
      return isExpected(snapshot, expected) ? "SUCCEEDED" : "REVIEW";
    case "canceled":
      return "CANCELLED";
    default:
      return undefined;
  }
}

const isExpected = (snapshot: Snapshot, expected: Expected): boolean =>
  snapshot.amountReceived === expected.amount &&
  snapshot.currency === expected.currency &&
  snapshot.paymentId === expected.paymentId;

/** Stripe may forget an idempotency key after 24 hours; an hour is kept for clocks. https://docs.stripe.com/api/idempotent_requests */
const KEY_LIFE_MS = 23 * 3_600_000;

/** Whether a call of this age may be repeated: once its key is forgotten, the same call would charge a second time. */
export const mayRepeat = (ageMs: number): boolean => ageMs < KEY_LIFE_MS;

const FIRST_WAITS_MS = [1000, 2000, 5000, 10_000, 20_000];
const LATER_WAITS_MS = [30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000];

/** How long to wait before the next try to settle a lost call, in milliseconds, after `tries` of them. */
export const settleWaitMs = (tries: number): number =>
  [...FIRST_WAITS_MS, ...LATER_WAITS_MS][tries] ?? 86_400_000;

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
  | {
      readonly change: true;
      readonly status: PaymentState;
      readonly declineCode: string;
      /** With REVIEW: what does not fit. */
      readonly reviewReason: string;
    }
  | {
      readonly change: false;
      readonly reason: string;
      /** Money is where none should be, and the status cannot say so: an operator must look. */
      readonly reviewReason?: string;
    };

/** What is known of a payment when a snapshot comes. */
export interface Known {
  readonly status: PaymentState;
  /** Null until Stripe has been heard. */
  readonly paymentIntentId: string | null;
}

const absorbing = new Set<PaymentState>(["SUCCEEDED", "CANCELLED", "REVIEW"]);

/** No news changes the status of a payment in one of these states; see isUnheardMoney for the one exception. */
export const isFinal = (status: PaymentState): boolean => absorbing.has(status);

/** Another attempt may follow: the last one was refused, or Stripe waits for a method of payment. */
export const mayPayAgain = (status: PaymentState): boolean =>
  status === "FAILED" || status === "REQUIRES_PAYMENT_METHOD";

/** What a snapshot does to a payment. Success and cancellation absorb; a refused attempt does not: the customer may pay again. */
export function onSnapshot(known: Known, snapshot: Snapshot, expected: Expected): Decision {
  const { status } = known;
  if (known.paymentIntentId !== null && known.paymentIntentId !== snapshot.paymentIntentId)
    return onSecondIntent(status, snapshot);
  if (isFinal(status) && !isUnheardMoney(known, snapshot, expected)) {
    const reason = `late ${snapshot.status} ignored: already ${status}`;
    return status === "CANCELLED" && snapshot.amountReceived > 0
      ? { change: false, reason, reviewReason: "money was taken after the payment was given up" }
      : { change: false, reason };
  }
  const next = stateOf(snapshot, expected);
  if (next === undefined)
    return {
      change: false,
      reason: `this version does not know Stripe's status ${snapshot.status}`,
    };
  return {
    change: true,
    status: next,
    declineCode: next === "FAILED" ? (snapshot.declineCode ?? "") : "",
    reviewReason: next === "REVIEW" ? misfitOf(snapshot, expected) : "",
  };
}

/**
 * A payment that was given up while Stripe had nothing of it was called CANCELLED by us alone. Where its money comes after all (a
 * request that was thought to be lost), it was paid: Order finds that it comes too late, and has it given back.
 */
const isUnheardMoney = (known: Known, snapshot: Snapshot, expected: Expected): boolean =>
  known.status === "CANCELLED" &&
  known.paymentIntentId === null &&
  snapshot.status === "succeeded" &&
  isExpected(snapshot, expected);

/** A payment has one PaymentIntent. Another one that names it is no news of it, but its money is somebody's. */
function onSecondIntent(status: PaymentState, snapshot: Snapshot): Decision {
  const reason = `a second PaymentIntent, ${snapshot.paymentIntentId}, says that it is ${snapshot.status} for this payment`;
  if (snapshot.amountReceived <= 0) return { change: false, reason };
  return isFinal(status)
    ? { change: false, reason, reviewReason: reason }
    : { change: true, status: "REVIEW", declineCode: "", reviewReason: reason };
}

/** A snapshot that shows nothing of a confirmation that may be under way: the PaymentIntent waits, as it did before. */
export const isIdle = ({ status }: Snapshot): boolean =>
  status === "requires_payment_method" || status === "requires_confirmation";

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
  misfitOf(snapshot, expected) === "";

/** What of the money is not what was asked for; "" where all is. */
function misfitOf(snapshot: Snapshot, expected: Expected): string {
  if (snapshot.currency !== expected.currency)
    return `${snapshot.currency} was taken instead of ${expected.currency}`;
  if (snapshot.amountReceived !== expected.amount)
    return `${snapshot.amountReceived} was taken instead of ${expected.amount}, in Stripe's units`;
  if (snapshot.paymentId !== expected.paymentId)
    return `the PaymentIntent says that it is of the payment "${snapshot.paymentId}"`;
  return "";
}

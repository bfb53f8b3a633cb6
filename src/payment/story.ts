// What the timeline says of a payment. Public lines are the customer's: what became of the money, and nothing of how.
import type { Happened } from "../platform/timeline/store.ts";
import type { StripeEventRow } from "./event-store.ts";
import type { PaymentState } from "./payment.ts";
import { callSentence } from "./progress.ts";
import type { AttemptRow, PaymentRow, Progress } from "./store.ts";
import type { CallResult, FailedCall } from "./stripe/call.ts";
import type { StripeEvent } from "./stripe/event.ts";

type Line = Pick<Happened, "type" | "text"> & Partial<Pick<Happened, "visibility" | "references">>;

/** A line about a payment, for operators unless it says otherwise. */
export const about = (
  { id, orderId, customerId, paymentIntentId }: PaymentRow,
  { type, text, visibility = "OPERATOR", references }: Line,
): Happened => ({
  orderId,
  customerId,
  type,
  text,
  visibility,
  references: {
    payment_id: id,
    ...(paymentIntentId !== null && { payment_intent_id: paymentIntentId }),
    ...references,
  },
});

export const createdLine = (payment: PaymentRow): Happened =>
  about(payment, {
    type: "payment.created",
    text: `The payment of ${payment.minorUnits} minor units of ${payment.currencyCode} is stored.`,
  });

/** Before Stripe is called. */
export const attemptLine = (payment: PaymentRow, { id, attemptNumber }: AttemptRow): Happened =>
  about(payment, {
    type: "payment.attempt_started",
    text: `Attempt ${attemptNumber} to pay begins: Stripe is asked.`,
    references: { attempt_id: id },
  });

/** What a change of the row says: its new status, and what does not fit. `isRefusal`: whether FAILED is the bank's word. */
export function changeLines(
  before: PaymentRow | undefined,
  payment: PaymentRow,
  isRefusal = true,
): Happened[] {
  const isNews = payment.status !== before?.status;
  const status = isNews ? statusLine(payment, isRefusal) : undefined;
  const { reviewReason } = payment;
  const review =
    reviewReason === "" || reviewReason === before?.reviewReason
      ? undefined
      : { type: "payment.review", text: `An operator must look: ${reviewReason}.` };
  return [status, review].flatMap((line) => (line === undefined ? [] : [about(payment, line)]));
}

/** Undefined for what another line tells. */
function statusLine(payment: PaymentRow, isRefusal: boolean): Line | undefined {
  const { attemptNumber, declineCode } = payment;
  const status = payment.status as PaymentState;
  const told = (text: string, type = `payment.${status.toLowerCase()}`): Line => ({
    type,
    text,
    visibility: "PUBLIC",
  });
  switch (status) {
    case "REQUIRES_PAYMENT_METHOD":
      return told("The payment waits for a method of payment.");
    case "REQUIRES_ACTION":
      return told("The bank asks for a confirmation of the payment.");
    case "PROCESSING":
      return told("The bank is at work on the payment.");
    case "AUTHORIZED":
      return told("The bank holds the money for the payment.");
    case "SUCCEEDED":
      return told("The payment was received.");
    case "CANCELLED":
      return told("The payment was given up.");
    case "FAILED":
      return isRefusal
        ? told(
            `Attempt ${attemptNumber} to pay was refused${declineCode === "" ? "" : ` (${declineCode})`}.`,
            "payment.attempt_refused",
          )
        : told(`Attempt ${attemptNumber} to pay could not be made.`, "payment.attempt_not_made");
    case "PENDING_INITIATION":
    case "UNKNOWN":
    case "REVIEW":
      return undefined;
    default:
      return status satisfies never;
  }
}

/** The call of an attempt, or of a refund, failed: how, and what comes next and when. */
export function callLine(
  payment: PaymentRow,
  call: { readonly name: string; readonly references: Readonly<Record<string, string>> },
  result: Exclude<CallResult<unknown>, { outcome: "answered" }>,
  { dueInMs }: Progress,
): Happened {
  const { failure, code, requestId }: FailedCall = result.failed;
  const when = dueInMs === null ? "" : ` in ${dueInMs / 1000} s`;
  return about(payment, {
    type: `payment.call_${result.outcome === "refused" ? "refused" : "failed"}`,
    text: `${call.name}: ${callSentence(result.outcome)}${when} (${failure}, ${code}).`,
    references: { ...call.references, ...(requestId && { stripe_request_id: requestId }) },
  });
}

/** Stripe was asked what became of a call that must not be repeated. `dueInMs`: when it is asked again. */
export const lookLine = (
  payment: PaymentRow,
  { id, attemptNumber }: AttemptRow,
  found: string,
  dueInMs: number | null,
): Happened =>
  about(payment, {
    type: "payment.looked",
    text: `Attempt ${attemptNumber}: Stripe was asked what there is: ${found}${dueInMs === null ? "" : `; it is asked again in ${dueInMs / 1000} s`}.`,
    references: { attempt_id: id },
  });

/** A look at a PaymentIntent that waits told what no webhook had. */
export const foundLine = (before: PaymentRow, payment: PaymentRow): Happened =>
  about(payment, {
    type: "payment.check_found",
    text: `Stripe was asked, and told what no webhook had: ${before.status} is ${payment.status}.`,
  });

/** What became of one of Stripe's events. */
export type EventFate = "applied" | "ignored" | "repeated" | "fetched" | "waits" | "unmatched";

export const webhookLine = (
  payment: PaymentRow,
  { id, type }: Pick<StripeEventRow, "id" | "type">,
  fate: EventFate,
  why: string,
): Happened =>
  about(payment, {
    type: `webhook.${fate}`,
    text: `${type}: ${why}`,
    references: { event_id: id },
  });

/** An event that no payment fits, in the timeline of the order that it names. */
export const unmatchedLine = ({ id, type, orderId, paymentIntentId }: StripeEvent): Happened => ({
  orderId,
  customerId: "",
  type: "webhook.unmatched",
  text: `${type}: no payment of ours has this PaymentIntent; it is kept, and tried again`,
  visibility: "OPERATOR",
  references: { event_id: id, payment_intent_id: paymentIntentId },
});

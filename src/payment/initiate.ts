// Commits the intent to take an order's money: the payment and its attempt, before Stripe is called (settle.ts).
import type { InitiatePaymentRequest } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import { violatesUnique } from "../platform/database/unique.ts";
import { Refusal } from "../platform/refusal.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { traceToStore } from "../platform/trace.ts";
import { changed } from "./apply.ts";
import { mustBeUnderLimits } from "./limits.ts";
import { newAttempt, newPayment } from "./new-rows.ts";
import type { PaymentParts } from "./parts.ts";
import { mayPayAgain, type PaymentState } from "./payment.ts";
import { publishCreated, publishStatus } from "./publish.ts";
import {
  findAttempt,
  lockPaymentOfOrder,
  ORDER_KEY,
  saveAttempt,
  savePayment,
  savePaymentChange,
  type AttemptRow,
  type PaymentRow,
} from "./store.ts";
import { attemptLine, createdLine } from "./story.ts";
import type { AttemptParams } from "./stripe/room.ts";
import { toStripeAmount } from "./stripe-amount.ts";
import { together } from "../platform/events/together.ts";

export type Started =
  | { readonly isNew: true; readonly payment: PaymentRow; readonly attempt: AttemptRow }
  /** The attempt was there already, or the payment was given up before it came. */
  | { readonly isNew: false; readonly payment: PaymentRow };

/** Stores the payment and its attempt, or finds them: the same order and attempt number are the same attempt. */
export async function startAttempt(
  parts: PaymentParts,
  request: InitiatePaymentRequest,
): Promise<Started> {
  if (request.attemptNumber > 1) return await findOrFollow(parts, request);
  try {
    return await firstAttempt(parts, request);
  } catch (error) {
    if (violatesUnique(error, ORDER_KEY)) return await findOrFollow(parts, request);
    throw error;
  }
}

async function firstAttempt(
  parts: PaymentParts,
  request: InitiatePaymentRequest,
): Promise<Started> {
  const payment = newPayment(request);
  const attempt = newAttempt(
    payment,
    createParams(parts, payment, request.paymentMethod),
    parts.pace.leaseMs,
  );
  await parts.inTransaction(async (tx) => {
    // Sent together, run one after the other: one round trip.
    await together([
      savePayment(tx, payment),
      saveAttempt(tx, attempt),
      publishCreated(tx, parts.outbox, payment),
      recordTimeline(tx, createdLine(payment), attemptLine(payment, attempt)),
      mustBeUnderLimits(tx, parts.limits, { customerId: payment.customerId }),
    ]);
  });
  return { isNew: true, payment, attempt };
}

/** The order has a payment already: this attempt is known, or it follows a refused one. */
function findOrFollow(parts: PaymentParts, request: InitiatePaymentRequest): Promise<Started> {
  return parts.inTransaction(async (tx) => {
    const payment = await lockPaymentOfOrder(tx, request.orderId);
    if (payment === undefined)
      throw new Refusal("failed_precondition", "an order's first attempt has the number 1", {
        field: "attempt_number",
      });
    mustAgree(payment, request);
    // Given up before this call came, or known: there is nothing to start.
    if (request.attemptNumber <= payment.attemptNumber) return { isNew: false, payment };
    return await nextAttempt(tx, parts, payment, request);
  });
}

function mustAgree(payment: PaymentRow, request: InitiatePaymentRequest): void {
  const agrees =
    payment.customerId === request.customerId &&
    payment.currencyCode === request.amount?.currencyCode &&
    payment.minorUnits === request.amount.minorUnits;
  if (!agrees)
    throw new Refusal(
      "invalid_argument",
      "this order's payment is known with another customer or amount",
      { field: "amount" },
    );
}

/** Another attempt confirms the same PaymentIntent with another method: an order never has two of them. */
async function nextAttempt(
  tx: Transaction,
  parts: PaymentParts,
  payment: PaymentRow,
  request: InitiatePaymentRequest,
): Promise<Started> {
  const last = await findAttempt(tx, payment.id, payment.attemptNumber);
  mustFollow(payment, last, request.attemptNumber);
  if (request.paymentMethod === "")
    throw new Refusal("invalid_argument", "another attempt needs a payment method", {
      field: "payment_method",
    });
  await mustBeUnderLimits(tx, parts.limits, {
    customerId: payment.customerId,
    paymentId: payment.id,
  });
  const next = changed(payment, {
    status: "PENDING_INITIATION",
    declineCode: "",
    attemptNumber: request.attemptNumber,
    traceparent: traceToStore(),
  });
  const attempt = newAttempt(
    next,
    paramsOf(parts, payment, request.paymentMethod),
    parts.pace.leaseMs,
  );
  await together([
    savePaymentChange(tx, next),
    saveAttempt(tx, attempt),
    publishStatus(tx, parts.outbox, next),
    recordTimeline(tx, attemptLine(next, attempt)),
  ]);
  return { isNew: true, payment: next, attempt };
}

/** The next attempt has the next number, and waits until it is known what became of the last one. */
function mustFollow(payment: PaymentRow, last: AttemptRow | undefined, number: number): void {
  if (last !== undefined && last.status !== "SETTLED")
    throw new Refusal(
      "failed_precondition",
      `it is not known yet what became of attempt ${last.attemptNumber}; try again when it is`,
      { field: "attempt_number", reason: "ATTEMPT_NOT_SETTLED" },
    );
  if (number !== payment.attemptNumber + 1 || !mayPayAgain(payment.status as PaymentState))
    throw new Refusal(
      "failed_precondition",
      `attempt ${payment.attemptNumber} is ${payment.status}; the next attempt has the next number and follows a refused one`,
      { field: "attempt_number" },
    );
}

const paramsOf = (parts: PaymentParts, payment: PaymentRow, paymentMethod: string): AttemptParams =>
  payment.paymentIntentId === null
    ? createParams(parts, payment, paymentMethod)
    : {
        call: "confirm",
        paymentIntentId: payment.paymentIntentId,
        params: { payment_method: paymentMethod },
      };

function createParams(
  { environment }: PaymentParts,
  payment: PaymentRow,
  paymentMethod: string,
): AttemptParams {
  return {
    call: "create",
    params: {
      amount: toStripeAmount(payment.currencyCode, payment.minorUnits),
      currency: payment.currencyCode.toLowerCase(),
      // Without a return_url there is nowhere to send the customer to.
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
      // By these a webhook finds us, even if the answer to this call never comes.
      metadata: {
        order_id: payment.orderId,
        payment_id: payment.id,
        ...(environment !== "" && { env: environment }),
      },
      ...(paymentMethod !== "" && { payment_method: paymentMethod, confirm: true }),
    },
  };
}

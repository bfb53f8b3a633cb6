// Commits the intent to take an order's money: the payment and its attempt, before Stripe is called (settle.ts).
import type { InitiatePaymentRequest } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { PaymentEventSchema } from "../../gen/waybill/payment/v1/payment_event_pb.js";
import type { Backbone } from "../platform/backbone.ts";
import type { Transaction } from "../platform/database/open.ts";
import { violatesUnique } from "../platform/database/unique.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import { newId } from "../platform/id.ts";
import type { Log } from "../platform/log.ts";
import { Refusal } from "../platform/refusal.ts";
import { traceToStore } from "../platform/trace.ts";
import { changed, publishStatus } from "./apply.ts";
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
import type { AttemptParams, StripeRoom } from "./stripe.ts";
import { toStripeAmount } from "./stripe-amount.ts";
import { together } from "../platform/events/together.ts";

/** How long a call to Stripe has before the worker makes it again, in milliseconds. Twice at once is harmless: the key is the same. */
export const ATTEMPT_LEASE_MS = 10_000;

export interface PaymentParts extends Pick<Backbone, "db" | "outbox" | "inTransaction"> {
  readonly stripe: StripeRoom;
  readonly log: Log;
}

export interface Started {
  readonly payment: PaymentRow;
  readonly attempt: AttemptRow;
  /** False: the attempt was there already. */
  readonly isNew: boolean;
}

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
  const attempt = newAttempt(payment, createParams(payment, request.paymentMethod));
  const { orderId, customerId, currencyCode, minorUnits } = payment;
  await parts.inTransaction(async (tx) => {
    // Sent together, run one after the other: one round trip.
    await together([
      savePayment(tx, payment),
      saveAttempt(tx, attempt),
      parts.outbox.publish(tx, PaymentEventSchema, {
        orderId,
        customerId,
        paymentId: payment.id,
        event: { case: "paymentCreated", value: { amount: { currencyCode, minorUnits } } },
      }),
    ]);
  });
  return { payment, attempt, isNew: true };
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
    const known = await findAttempt(tx, payment.id, request.attemptNumber);
    if (known !== undefined) return { payment, attempt: known, isNew: false };
    return await nextAttempt(tx, parts.outbox, payment, request);
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
  outbox: Outbox,
  payment: PaymentRow,
  request: InitiatePaymentRequest,
): Promise<Started> {
  const isOpen = payment.status === "FAILED" || payment.status === "REQUIRES_PAYMENT_METHOD";
  if (request.attemptNumber !== payment.attemptNumber + 1 || !isOpen) {
    throw new Refusal(
      "failed_precondition",
      `attempt ${payment.attemptNumber} is ${payment.status}; the next attempt has the next number and follows a refused one`,
      { field: "attempt_number" },
    );
  }
  if (request.paymentMethod === "")
    throw new Refusal("invalid_argument", "another attempt needs a payment method", {
      field: "payment_method",
    });
  const params: AttemptParams =
    payment.paymentIntentId === null
      ? createParams(payment, request.paymentMethod)
      : {
          call: "confirm",
          paymentIntentId: payment.paymentIntentId,
          params: { payment_method: request.paymentMethod },
        };
  const next = changed(payment, {
    status: "PENDING_INITIATION",
    declineCode: "",
    attemptNumber: request.attemptNumber,
    traceparent: traceToStore(),
  });
  const attempt = newAttempt(next, params);
  await savePaymentChange(tx, next);
  await saveAttempt(tx, attempt);
  await publishStatus(tx, outbox, next);
  return { payment: next, attempt, isNew: true };
}

function newPayment(request: InitiatePaymentRequest): PaymentRow {
  const now = new Date();
  return {
    id: newId(),
    orderId: request.orderId,
    customerId: request.customerId,
    currencyCode: request.amount?.currencyCode ?? "",
    minorUnits: request.amount?.minorUnits ?? 0n,
    status: "PENDING_INITIATION",
    attemptNumber: request.attemptNumber,
    declineCode: "",
    paymentIntentId: null,
    snapshotTime: null,
    traceparent: traceToStore(),
    version: 1n,
    createTime: now,
    updateTime: now,
  };
}

function createParams(payment: PaymentRow, paymentMethod: string): AttemptParams {
  return {
    call: "create",
    params: {
      amount: toStripeAmount(payment.currencyCode, payment.minorUnits),
      currency: payment.currencyCode.toLowerCase(),
      // Without a return_url there is nowhere to send the customer to.
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
      // By these a webhook finds us, even if the answer to this call never comes.
      metadata: { order_id: payment.orderId, payment_id: payment.id },
      ...(paymentMethod !== "" && { payment_method: paymentMethod, confirm: true }),
    },
  };
}

function newAttempt(payment: PaymentRow, params: AttemptParams): AttemptRow {
  const id = newId();
  return {
    id,
    paymentId: payment.id,
    attemptNumber: payment.attemptNumber,
    status: "CREATING",
    idempotencyKey: `pa_${id}`,
    params,
    tries: 0,
    dueTime: new Date(Date.now() + ATTEMPT_LEASE_MS),
    createTime: new Date(),
  };
}

// The RPCs of the Payment service.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { setTimeout as pause } from "node:timers/promises";
import {
  PaymentService,
  type CheckPaymentStatusRequest,
  type InitiatePaymentRequest,
} from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { customerScope } from "../platform/access/principal.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { startAttempt, type PaymentParts, type Started } from "./initiate.ts";
import { settleAttempt } from "./settle.ts";
import { isFinal, type PaymentState } from "./payment.ts";
import { findPayment, type PaymentRow } from "./store.ts";
import { toPayment } from "./wire.ts";

/** How long a repeated call waits for the first one, in milliseconds, and how often it looks. */
const WAIT_LIMIT_MS = 3000;
const WAIT_STEP_MS = 100;
/** What is kept of the caller's time for the answer itself, in milliseconds. */
const ANSWER_RESERVE_MS = 300;

export const paymentRoutes = (parts: PaymentParts) => (router: ConnectRouter) => {
  router.service(PaymentService, {
    initiatePayment: (request, context) => initiatePayment(parts, request, context),
    checkPaymentStatus: (request, context) => checkPaymentStatus(parts, request, context),
  });
};

/** The caller's deadline says when the caller stops waiting, not when the work stops: no signal reaches the call to Stripe. */
async function initiatePayment(
  parts: PaymentParts,
  request: InitiatePaymentRequest,
  context: HandlerContext,
) {
  const caller = principalOf(context);
  const onBehalfOf = caller.kind === "service" ? caller.onBehalfOf : undefined;
  if (onBehalfOf !== undefined && onBehalfOf !== request.customerId) {
    throw new Refusal(
      "permission_denied",
      "a payment is initiated for the customer who asks for it",
      { field: "customer_id" },
    );
  }
  const started = await startAttempt(parts, request);
  // The secret is the customer's: a service that asks in the customer's name passes it on, nobody else gets it.
  if (onBehalfOf === undefined) {
    const { payment } = started.isNew ? await settleAttempt(parts, started.attempt) : started;
    return { payment: toPayment(payment), clientSecret: "" };
  }
  const { payment, clientSecret } = await outcomeOf(parts, started, context);
  return { payment: toPayment(payment), clientSecret };
}

async function outcomeOf(
  parts: PaymentParts,
  started: Started,
  context: HandlerContext,
): Promise<{ payment: PaymentRow; clientSecret: string }> {
  if (started.isNew) return await settleAttempt(parts, started.attempt);
  const payment = await afterFirstCall(parts, started.payment, context);
  if (payment.paymentIntentId === null || isFinal(payment.status as PaymentState))
    return { payment, clientSecret: "" };
  // Never stored, so it is fetched again for a repeated call.
  const { clientSecret } = await parts.stripe.retrieve(payment.paymentIntentId);
  return { payment, clientSecret };
}

/** The call that made the attempt may be at Stripe still: a repeated one waits for what comes of it, as long as its caller does. */
async function afterFirstCall(
  { db }: PaymentParts,
  payment: PaymentRow,
  context: HandlerContext,
): Promise<PaymentRow> {
  const waitMs = Math.min(
    WAIT_LIMIT_MS,
    (context.timeoutMs() ?? WAIT_LIMIT_MS) - ANSWER_RESERVE_MS,
  );
  const until = performance.now() + waitMs;
  let seen = payment;
  while (seen.status === "PENDING_INITIATION" && performance.now() < until) {
    await pause(WAIT_STEP_MS);
    seen = (await findPayment(db, { paymentId: payment.id }, undefined)) ?? seen;
  }
  return seen;
}

async function checkPaymentStatus(
  parts: PaymentParts,
  request: CheckPaymentStatusRequest,
  context: HandlerContext,
) {
  const payment = await findPayment(parts.db, request, customerScope(principalOf(context)));
  if (payment === undefined) throw new Refusal("not_found", "there is no such payment");
  return { payment: toPayment(payment) };
}

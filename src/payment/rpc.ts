// The RPCs of the Payment service.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
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
  const { payment, clientSecret } = await outcomeOf(parts, await startAttempt(parts, request));
  // The secret is the customer's: a service that asks in the customer's name passes it on, nobody else gets it.
  return {
    payment: toPayment(payment),
    clientSecret: onBehalfOf === undefined ? "" : clientSecret,
  };
}

async function outcomeOf(
  parts: PaymentParts,
  { payment, attempt, isNew }: Started,
): Promise<{ payment: PaymentRow; clientSecret: string }> {
  if (isNew) return await settleAttempt(parts, attempt);
  if (payment.paymentIntentId === null || isFinal(payment.status as PaymentState))
    return { payment, clientSecret: "" };
  // Never stored, so it is fetched again for a repeated call.
  const { clientSecret } = await parts.stripe.retrieve(payment.paymentIntentId);
  return { payment, clientSecret };
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

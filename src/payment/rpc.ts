// The RPCs of the Payment service.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import {
  PaymentService,
  type CheckPaymentStatusRequest,
  type InitiatePaymentRequest,
} from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { customerScope } from "../platform/access/principal.ts";
import type { Outliving } from "../platform/outlive.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { settleAttempt, startAttempt, type PaymentParts, type Started } from "./initiate.ts";
import { isFinal, type PaymentState } from "./payment.ts";
import { findPayment, type PaymentRow } from "./store.ts";
import { toPayment } from "./wire.ts";

export interface PaymentRpcParts extends PaymentParts {
  /** Work that goes on when its caller has stopped waiting. */
  readonly outliving: Outliving;
}

export const paymentRoutes = (parts: PaymentRpcParts) => (router: ConnectRouter) => {
  router.service(PaymentService, {
    initiatePayment: (request, context) => initiatePayment(parts, request, context),
    checkPaymentStatus: (request, context) => checkPaymentStatus(parts, request, context),
  });
};

/** The caller's deadline says when the caller stops waiting, not when the work stops: the call to Stripe goes on. */
function initiatePayment(
  parts: PaymentRpcParts,
  request: InitiatePaymentRequest,
  context: HandlerContext,
) {
  const caller = principalOf(context);
  if (
    caller.kind === "service" &&
    caller.onBehalfOf !== undefined &&
    caller.onBehalfOf !== request.customerId
  ) {
    throw new Refusal(
      "permission_denied",
      "a payment is initiated for the customer who asks for it",
      { field: "customer_id" },
    );
  }
  return parts.outliving.run(async () => {
    const started = await startAttempt(parts, request);
    const { payment, clientSecret } = await outcomeOf(parts, started);
    // The secret is the customer's: a service that asks in the customer's name passes it on, nobody else gets it.
    const forCustomer = caller.kind === "service" && caller.onBehalfOf !== undefined;
    return { payment: toPayment(payment), clientSecret: forCustomer ? clientSecret : "" };
  });
}

async function outcomeOf(
  parts: PaymentRpcParts,
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
  parts: PaymentRpcParts,
  request: CheckPaymentStatusRequest,
  context: HandlerContext,
) {
  const payment = await findPayment(parts.db, request, customerScope(principalOf(context)));
  if (payment === undefined) throw new Refusal("not_found", "there is no such payment");
  return { payment: toPayment(payment) };
}

// The RPCs of the Payment service.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import {
  PaymentService,
  type CancelPaymentRequest,
  type CheckPaymentStatusRequest,
  type InitiatePaymentRequest,
  type ListPaymentsRequest,
  type RefundPaymentRequest,
} from "../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Payment } from "../../gen/waybill/payment/v1/payment_pb.js";
import { customerScope, type Principal } from "../platform/access/principal.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { cancelPayment } from "./cancel.ts";
import { findFacets, findRefund, type RefundRow } from "./facet-store.ts";
import { startAttempt, type Started } from "./initiate.ts";
import type { PaymentParts } from "./parts.ts";
import { isFinal, type PaymentState } from "./payment.ts";
import { listPayments } from "./payment-list.ts";
import { settleRefund } from "./refund-call.ts";
import { startRefund } from "./refund-request.ts";
import { settleAttempt, type Settled } from "./settle.ts";
import { findPayment, type PaymentRow } from "./store.ts";
import { untilMoved } from "./until-moved.ts";
import { toPayment, toRefund } from "./wire.ts";

export const paymentRoutes = (parts: PaymentParts) => (router: ConnectRouter) => {
  router.service(PaymentService, {
    initiatePayment: (request, context) => initiate(parts, request, context),
    checkPaymentStatus: (request, context) => check(parts, request, context),
    cancelPayment: (request, context) => cancel(parts, request, context),
    refundPayment: (request, context) => refund(parts, request, context),
    listPayments: (request, context) => list(parts, request, context),
  });
};

/** The caller's deadline says when the caller stops waiting, not when the work stops: no signal reaches the call to Stripe. */
async function initiate(
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
    return { payment: await answerOf(parts, payment, caller), clientSecret: "" };
  }
  const { payment, clientSecret } = await outcomeOf(parts, started, context);
  return { payment: await answerOf(parts, payment, caller), clientSecret };
}

async function outcomeOf(
  parts: PaymentParts,
  started: Started,
  context: HandlerContext,
): Promise<Settled> {
  if (started.isNew) return await settleAttempt(parts, started.attempt);
  // The call that made the attempt may be at Stripe still.
  const payment = await untilMoved(context, {
    first: started.payment,
    isMoved: ({ status }) => status !== "PENDING_INITIATION",
    look: ({ id }) => findPayment(parts.db, { paymentId: id }, undefined),
  });
  if (payment.paymentIntentId === null || isFinal(payment.status as PaymentState))
    return { payment, clientSecret: "" };
  // Never stored, so it is fetched again for a repeated call.
  const { clientSecret } = await parts.stripe.retrieve(payment.paymentIntentId);
  return { payment, clientSecret };
}

async function check(
  parts: PaymentParts,
  request: CheckPaymentStatusRequest,
  context: HandlerContext,
) {
  const caller = principalOf(context);
  const payment = await findPayment(parts.db, request, customerScope(caller));
  if (payment === undefined) throw new Refusal("not_found", "there is no such payment");
  return { payment: await answerOf(parts, payment, caller) };
}

async function cancel(parts: PaymentParts, request: CancelPaymentRequest, context: HandlerContext) {
  const caller = principalOf(context);
  const payment = await cancelPayment(parts, request, customerScope(caller));
  return { payment: await answerOf(parts, payment, caller) };
}

async function refund(parts: PaymentParts, request: RefundPaymentRequest, context: HandlerContext) {
  const caller = principalOf(context);
  const started = await startRefund(parts, {
    request,
    caller: nameOf(caller),
    scope: customerScope(caller),
  });
  if (started.isNew) await settleRefund(parts, started.refund);
  const look = ({ id }: RefundRow) => findRefund(parts.db, id);
  const row = started.isNew
    ? await look(started.refund)
    : await untilMoved(context, {
        first: started.refund,
        isMoved: ({ status }) => status !== "PENDING_INITIATION",
        look,
      });
  const payment = await findPayment(parts.db, { paymentId: request.paymentId }, undefined);
  return {
    refund: toRefund(row ?? started.refund),
    ...(payment && { payment: await answerOf(parts, payment, caller) }),
  };
}

async function list(parts: PaymentParts, request: ListPaymentsRequest, context: HandlerContext) {
  const forOperator = seesReviews(principalOf(context));
  const { page, nextPageToken } = await listPayments(parts.db, request);
  const facets = await findFacets(
    parts.db,
    page.map(({ id }) => id),
  );
  const payments = page.map((row) => toPayment(row, facets.get(row.id), { forOperator }));
  return { payments, nextPageToken };
}

/** The payment with its refunds and disputes. */
async function answerOf(
  parts: PaymentParts,
  payment: PaymentRow,
  caller: Principal,
): Promise<Payment> {
  // Only what was paid has any.
  const facets = isFinal(payment.status as PaymentState)
    ? await findFacets(parts.db, [payment.id])
    : undefined;
  return toPayment(payment, facets?.get(payment.id), { forOperator: seesReviews(caller) });
}

const seesReviews = ({ kind }: Principal): boolean => kind === "operator" || kind === "service";

const nameOf = (caller: Principal): string =>
  caller.kind === "anonymous" ? caller.kind : `${caller.kind}:${caller.id}`;

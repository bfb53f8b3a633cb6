// What happens outside Stripe's API: customers pay and dispute, banks decide, somebody works at Stripe's dashboard.
import type { FastifyInstance } from "fastify";
import { actByHand, byHand, type HandParts } from "./by-hand.ts";
import { textOf } from "./form.ts";
import { isForm, respond } from "./given.ts";
import { button, page } from "./page.ts";
import { disputeMoves } from "./stripe/dispute.ts";
import { createDispute, moveDisputeTo } from "./stripe/dispute-operations.ts";
import type { Operation } from "./stripe/operation.ts";
import { createPayment, payOtherwise, settlePayment } from "./stripe/payment-operations.ts";
import { badParameter } from "./stripe/refusal.ts";
import { refundMoves, refundStatuses } from "./stripe/refund.ts";
import { createRefund, moveRefundTo } from "./stripe/refund-operations.ts";

/** The paths that README.md lists. */
export function customerRoutes(app: FastifyInstance, parts: HandParts): void {
  byHand(app, parts, "/_/pay/:id", payOtherwise);
  threeDsRoutes(app, parts);
  byHand(app, parts, "/_/payments", createPayment);
  byHand(app, parts, "/_/refunds", refundAtDashboard);
  for (const move of refundMoves) byHand(app, parts, `/_/refunds/:id/${move}`, moveRefundTo(move));
  byHand(app, parts, "/_/disputes", createDispute);
  for (const move of disputeMoves)
    byHand(app, parts, `/_/disputes/:id/${move}`, moveDisputeTo(move));
}

/** As with the API; `status` says where it begins, if not as the payment method has it. */
const refundAtDashboard: Operation = (books, call) => {
  const { status: _status, ...parameters } = call.parameters;
  const given = textOf(call.parameters, "status");
  const status = refundStatuses.find((name) => name === given);
  if (given !== undefined && status === undefined)
    throw badParameter("status", "parameter_invalid", `One of ${refundStatuses.join(", ")}.`);
  return createRefund(status)(books, { ...call, parameters });
};

function threeDsRoutes(app: FastifyInstance, parts: HandParts): void {
  for (const outcome of ["succeed", "fail"] as const) {
    app.post<{ Params: { id: string } }>(`/_/3ds/:id/${outcome}`, async (request, reply) => {
      const ended = actByHand(parts, request, settlePayment(outcome));
      const back = parts.books.ledger.payment(request.params.id)?.returnUrl;
      return isForm(request) && back ? reply.redirect(back, 303) : respond(request, reply, ended);
    });
  }
  app.get<{ Params: { id: string } }>("/_/3ds/:id", async (request, reply) =>
    reply.type("text/html; charset=utf-8").send(threeDsPage(request.params.id)),
  );
}

const threeDsPage = (id: string): string =>
  page(
    `Is it you who pays ${id}?`,
    button(`/_/3ds/${encodeURIComponent(id)}/succeed`, "Yes") +
      button(`/_/3ds/${encodeURIComponent(id)}/fail`, "No"),
  );

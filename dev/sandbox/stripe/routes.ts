// Stripe's part of the sandbox: which path leads to which operation.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { send } from "../http.ts";
import {
  listDisputes,
  moveDisputeTo,
  retrieveDispute,
  updateDispute,
} from "./dispute-operations.ts";
import { listCharges, listEvents, retrieveCharge, retrieveEvent } from "./event-operations.ts";
import { answer, type StripeParts } from "./exchange.ts";
import type { Operation } from "./operation.ts";
import {
  cancelPayment,
  capturePayment,
  confirmPayment,
  createPayment,
  listPayments,
  retrievePayment,
  updatePayment,
} from "./payment-operations.ts";
import {
  cancelRefund,
  createRefund,
  listRefunds,
  retrieveRefund,
  updateRefund,
} from "./refund-operations.ts";
import { StripeRefusal } from "./refusal.ts";

/** The name by which a fault finds it, its method and path, and what is done. */
type Route = readonly [name: string, method: "GET" | "POST", url: string, operation: Operation];

const routes: readonly Route[] = [
  ["payment_intents.create", "POST", "/v1/payment_intents", createPayment],
  ["payment_intents.list", "GET", "/v1/payment_intents", listPayments],
  ["payment_intents.retrieve", "GET", "/v1/payment_intents/:id", retrievePayment],
  ["payment_intents.update", "POST", "/v1/payment_intents/:id", updatePayment],
  ["payment_intents.confirm", "POST", "/v1/payment_intents/:id/confirm", confirmPayment],
  ["payment_intents.capture", "POST", "/v1/payment_intents/:id/capture", capturePayment],
  ["payment_intents.cancel", "POST", "/v1/payment_intents/:id/cancel", cancelPayment],
  ["refunds.create", "POST", "/v1/refunds", createRefund()],
  ["refunds.list", "GET", "/v1/refunds", listRefunds],
  ["refunds.retrieve", "GET", "/v1/refunds/:id", retrieveRefund],
  ["refunds.update", "POST", "/v1/refunds/:id", updateRefund],
  ["refunds.cancel", "POST", "/v1/refunds/:id/cancel", cancelRefund],
  ["disputes.list", "GET", "/v1/disputes", listDisputes],
  ["disputes.retrieve", "GET", "/v1/disputes/:id", retrieveDispute],
  ["disputes.update", "POST", "/v1/disputes/:id", updateDispute],
  ["disputes.close", "POST", "/v1/disputes/:id/close", moveDisputeTo("lose")],
  ["charges.list", "GET", "/v1/charges", listCharges],
  ["charges.retrieve", "GET", "/v1/charges/:id", retrieveCharge],
  ["events.list", "GET", "/v1/events", listEvents],
  ["events.retrieve", "GET", "/v1/events/:id", retrieveEvent],
];

export const operationNames: readonly string[] = routes.map(([name]) => name);

export function stripeRoutes(app: FastifyInstance, parts: StripeParts): void {
  for (const [name, method, url, operation] of routes) {
    const handler = async (request: FastifyRequest, reply: FastifyReply) =>
      send(reply, await answer(parts, request, { name, operation }));
    app.route({ method, url, handler });
  }
  app.all("/v1/*", async ({ method, url }, reply) => {
    const message = `Unrecognized request URL (${method}: ${url}): the sandbox knows only a part of Stripe.`;
    return send(reply, new StripeRefusal(404, { type: "invalid_request_error", message }).answer);
  });
}

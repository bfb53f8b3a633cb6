// Stripe's part of the sandbox: which path leads to which operation, and what each request passes on its way.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Answer } from "../answer.ts";
import { type Faults, underFault } from "../faults.ts";
import { decodeForm } from "../form.ts";
import { bodyOf, send } from "../http.ts";
import { stripeId } from "../id.ts";
import type { IdempotencyKeys } from "../idempotency.ts";
import type { Journal } from "../journal.ts";
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
  listDisputes,
  moveDisputeTo,
  retrieveDispute,
  updateDispute,
} from "./dispute-operations.ts";
import { listCharges, listEvents, retrieveCharge, retrieveEvent } from "./event-operations.ts";
import type { Books, Call, Operation } from "./operation.ts";
import {
  cancelRefund,
  createRefund,
  listRefunds,
  retrieveRefund,
  updateRefund,
} from "./refund-operations.ts";
import {
  badParameter,
  checkStripeKey,
  faultRefusal,
  keyInUse,
  keyMismatch,
  StripeRefusal,
} from "./refusal.ts";

/** https://docs.stripe.com/api/idempotent_requests */
const MAX_KEY_CHARACTERS = 255;

export interface StripeParts {
  readonly books: Books;
  readonly journal: Journal;
  readonly keys: IdempotencyKeys;
  readonly faults: Faults;
  readonly closing: AbortSignal;
}

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

export function stripeRoutes(app: FastifyInstance, parts: StripeParts): void {
  for (const [, method, url, operation] of routes) {
    const handler = async (request: FastifyRequest, reply: FastifyReply) =>
      send(reply, await answer(parts, request, operation));
    app.route({ method, url, handler });
  }
  app.all("/v1/*", async ({ method, url }, reply) => {
    const message = `Unrecognized request URL (${method}: ${url}): the sandbox knows only a part of Stripe.`;
    return send(reply, new StripeRefusal(404, { type: "invalid_request_error", message }).answer);
  });
}

async function answer(
  parts: StripeParts,
  request: FastifyRequest,
  operation: Operation,
): Promise<Answer | "drop"> {
  const exchange = exchangeOf(request);
  try {
    checkStripeKey(request.headers.authorization);
    const outcome = await answerOnce(parts, exchange, operation);
    return outcome === "drop" ? outcome : identified(outcome, exchange.requestId);
  } catch (error) {
    if (error instanceof StripeRefusal) return identified(error.answer, exchange.requestId);
    throw error;
  }
}

/** One request, as far as the idempotency layer looks at it. */
interface Exchange {
  readonly method: string;
  readonly endpoint: string;
  readonly id: string;
  /** The parameters as they were sent. */
  readonly parameters: string;
  readonly key: string | undefined;
  readonly requestId: string;
}

function exchangeOf(request: FastifyRequest): Exchange {
  const [endpoint = "", query = ""] = request.url.split("?", 2);
  const reading = request.method === "GET";
  const key = request.headers["idempotency-key"];
  return {
    method: request.method,
    endpoint,
    id: (request.params as { id?: string }).id ?? "",
    parameters: reading ? query : bodyOf(request.body),
    key: reading || typeof key !== "string" ? undefined : key,
    requestId: stripeId("req", 14),
  };
}

async function answerOnce(
  parts: StripeParts,
  exchange: Exchange,
  operation: Operation,
): Promise<Answer | "drop"> {
  const { key, endpoint, parameters } = exchange;
  if (key === undefined) return execute(parts, exchange, () => perform(parts, exchange, operation));
  if (key.length > MAX_KEY_CHARACTERS) {
    throw badParameter(
      "idempotency_key",
      "parameter_invalid",
      `Keys have at most ${MAX_KEY_CHARACTERS} characters.`,
    );
  }
  const verdict = parts.keys.verdict(key, endpoint, parameters);
  switch (verdict.kind) {
    case "in_use":
      throw keyInUse(key);
    case "mismatch":
      throw keyMismatch(key, { first: verdict.endpoint, now: endpoint });
    case "replay": {
      const { status, body, requestId } = verdict.saved;
      const headers = { "idempotent-replayed": "true", "original-request": requestId };
      return execute(parts, exchange, () => ({ status, body, headers }));
    }
    case "first": {
      using _held = parts.keys.hold(key);
      return await execute(parts, exchange, (instead) =>
        perform(parts, exchange, operation, instead),
      );
    }
    default:
      return verdict satisfies never;
  }
}

const execute = (
  parts: StripeParts,
  exchange: Exchange,
  work: (instead?: Answer) => Answer,
): Promise<Answer | "drop"> =>
  underFault(
    parts.faults.strike("stripe", exchange.endpoint),
    {
      refusal: faultRefusal,
      execute: (instead) => (instead === undefined ? work() : work(instead)),
    },
    parts.closing,
  );

/** Carries an operation out and saves its answer under the key, as one change: no crash can part them. */
function perform(
  parts: StripeParts,
  exchange: Exchange,
  operation: Operation,
  instead?: Answer,
): Answer {
  const { key, requestId } = exchange;
  const call: Call = {
    parameters: decodeForm(exchange.parameters),
    id: exchange.id,
    source: { requestId, idempotencyKey: key ?? null },
  };
  return parts.journal.change(() => {
    const truth = operation(parts.books, call);
    if (key !== undefined) parts.keys.save(key, exchange, instead ?? truth);
    return instead ?? truth;
  });
}

const identified = (outcome: Answer, requestId: string): Answer => ({
  ...outcome,
  headers: { "request-id": requestId, ...outcome.headers },
});

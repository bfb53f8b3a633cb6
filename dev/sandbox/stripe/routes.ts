// Stripe's part of the sandbox: which path leads to which operation, and what each request passes on its way.
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Answer } from "../answer.ts";
import { type Faults, underFault } from "../faults.ts";
import { decodeForm } from "../form.ts";
import { bodyOf, send } from "../http.ts";
import { stripeId } from "../id.ts";
import type { IdempotencyKeys } from "../idempotency.ts";
import type { Journal } from "../journal.ts";
import {
  type Books,
  type Call,
  cancelPayment,
  confirmPayment,
  createPayment,
  listCharges,
  listEvents,
  listPayments,
  type Operation,
  retrieveCharge,
  retrieveEvent,
  retrievePayment,
} from "./operations.ts";
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

const reads: readonly (readonly [string, Operation])[] = [
  ["/v1/payment_intents", listPayments],
  ["/v1/payment_intents/:id", retrievePayment],
  ["/v1/charges", listCharges],
  ["/v1/charges/:id", retrieveCharge],
  ["/v1/events", listEvents],
  ["/v1/events/:id", retrieveEvent],
];
const writes: readonly (readonly [string, Operation])[] = [
  ["/v1/payment_intents", createPayment],
  ["/v1/payment_intents/:id/confirm", confirmPayment],
  ["/v1/payment_intents/:id/cancel", cancelPayment],
];

export function stripeRoutes(app: FastifyInstance, parts: StripeParts): void {
  for (const [url, operation] of reads) {
    app.get(url, async (request, reply) => send(reply, await answer(parts, request, operation)));
  }
  for (const [url, operation] of writes) {
    app.post(url, async (request, reply) => send(reply, await answer(parts, request, operation)));
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

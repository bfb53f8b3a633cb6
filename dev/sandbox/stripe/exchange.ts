// One request to the sandbox's Stripe: what it passes on its way, and what its idempotency key makes of it.
import type { FastifyRequest } from "fastify";
import type { Answer } from "../answer.ts";
import { type Faults, underFault } from "../faults.ts";
import { decodeForm } from "../form.ts";
import { bodyOf } from "../http.ts";
import { stripeId } from "../id.ts";
import type { IdempotencyKeys } from "../idempotency.ts";
import type { Journal } from "../journal.ts";
import { metadataOfCall } from "./account.ts";
import type { Books, Call, Operation } from "./operation.ts";
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

export async function answer(
  parts: StripeParts,
  request: FastifyRequest,
  { name, operation }: { readonly name: string; readonly operation: Operation },
): Promise<Answer | "drop"> {
  const exchange = exchangeOf(request, name);
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
  /** Of the operation: "payment_intents.create". */
  readonly name: string;
  readonly endpoint: string;
  readonly id: string;
  /** The parameters as they were sent. */
  readonly parameters: string;
  readonly key: string | undefined;
  readonly requestId: string;
}

function exchangeOf(request: FastifyRequest, name: string): Exchange {
  const [endpoint = "", query = ""] = request.url.split("?", 2);
  const reading = request.method === "GET";
  const key = request.headers["idempotency-key"];
  return {
    name,
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
    parts.faults.strike({
      stage: "request",
      provider: "stripe",
      operation: exchange.name,
      path: exchange.endpoint,
      metadata: () => metadataOfCall(parts.books.ledger, callOf(exchange)),
    }),
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
  const { key } = exchange;
  const call = callOf(exchange);
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

const callOf = ({ id, key, parameters, requestId }: Exchange): Call => ({
  parameters: decodeForm(parameters),
  id,
  source: { requestId, idempotencyKey: key ?? null },
});

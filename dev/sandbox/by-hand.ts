// Carries out what happens outside Stripe's API: a request of the sandbox's own paths becomes an operation on its books.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Answer, jsonAnswer } from "./answer.ts";
import { givenBy, respond } from "./given.ts";
import type { Journal } from "./journal.ts";
import type { Books, Operation } from "./stripe/operation.ts";
import { StripeRefusal } from "./stripe/refusal.ts";

export interface HandParts {
  readonly books: Books;
  readonly journal: Journal;
}

/** A path under which an operation can be done by hand, with JSON or from a page's form, which is shown again afterwards. */
export function byHand(
  app: FastifyInstance,
  parts: HandParts,
  url: string,
  operation: Operation,
): void {
  app.post(url, async (request, reply) => {
    return respond(request, reply, actByHand(parts, request, operation));
  });
}

export function actByHand(
  { books, journal }: HandParts,
  request: FastifyRequest,
  operation: Operation,
): Answer {
  const parameters = givenBy(request);
  if (parameters === undefined)
    return jsonAnswer(400, { error: "The body must be a JSON object." });
  const id = (request.params as { id?: string }).id ?? "";
  const call = { parameters, id, source: { requestId: null, idempotencyKey: null } };
  try {
    return journal.change(() => operation(books, call));
  } catch (error) {
    if (error instanceof StripeRefusal) return error.answer;
    throw error;
  }
}

// Carries out what happens outside Stripe's API: a request of the sandbox's own paths becomes an operation on its books.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type Answer, jsonAnswer } from "./answer.ts";
import { decodeForm, decodeJson, type Form } from "./form.ts";
import { bodyOf, send } from "./http.ts";
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
    const outcome = actByHand(parts, request, operation);
    const page = request.headers.referer;
    return outcome.status < 400 && isForm(request) && page !== undefined
      ? reply.redirect(page, 303)
      : send(reply, outcome);
  });
}

export function actByHand(
  { books, journal }: HandParts,
  request: FastifyRequest,
  operation: Operation,
): Answer {
  const parameters = parametersOf(request);
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

export const isForm = (request: FastifyRequest): boolean =>
  request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;

/** Fields that a page's form left empty were not given. */
function parametersOf(request: FastifyRequest): Form | undefined {
  const body = bodyOf(request.body);
  if (!isForm(request)) return decodeJson(body);
  return Object.fromEntries(Object.entries(decodeForm(body)).filter(([, value]) => value !== ""));
}

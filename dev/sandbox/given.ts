// What a request of the sandbox's own paths gives: JSON from a test, or the fields of a page's form.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Answer } from "./answer.ts";
import { decodeForm, decodeJson, type Form } from "./form.ts";
import { bodyOf, send } from "./http.ts";
import { STRIPE_PAGE } from "./stripe-page.ts";

export const isForm = (request: FastifyRequest): boolean =>
  request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;

/** Undefined where it is neither. Fields that a form left empty were not given. */
export function givenBy(request: FastifyRequest): Form | undefined {
  const body = bodyOf(request.body);
  return isForm(request) ? withoutEmpty(decodeForm(body)) : decodeJson(body);
}

function withoutEmpty(form: Form): Form {
  const given = Object.entries(form).flatMap(([name, value]) => {
    const inner = typeof value === "string" ? value : withoutEmpty(value);
    const empty = inner === "" || (typeof inner === "object" && Object.keys(inner).length === 0);
    return empty ? [] : [[name, inner] as const];
  });
  return Object.fromEntries(given);
}

/** Answers; a form whose button was pressed leads back to the page unless something was wrong. */
export const respond = (
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
): FastifyReply =>
  isForm(request) && answer.status < 400 ? reply.redirect(STRIPE_PAGE, 303) : send(reply, answer);

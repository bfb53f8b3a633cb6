// Stripe's errors. A refused request did nothing, and leaves no trace under its idempotency key.
import type { Stripe } from "stripe";
import { type Answer, jsonAnswer } from "../answer.ts";

/** The parts of https://docs.stripe.com/api/errors that the sandbox gives. */
export interface StripeErrorBody {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly payment_intent?: Stripe.PaymentIntent;
}

export class StripeRefusal extends Error {
  override readonly name = "StripeRefusal";
  readonly answer: Answer;

  constructor(status: number, error: StripeErrorBody, headers: Record<string, string> = {}) {
    super(error.message);
    this.answer = jsonAnswer(status, { error }, headers);
  }
}

/** A 400 that names the parameter. */
export const badParameter = (param: string, code: string, message: string): StripeRefusal =>
  new StripeRefusal(400, { type: "invalid_request_error", code, param, message });

/** `noun` as Stripe writes it: "payment_intent", "PaymentMethod". */
export const missing = (status: number, noun: string, id: string, param: string): StripeRefusal =>
  new StripeRefusal(status, {
    type: "invalid_request_error",
    code: "resource_missing",
    param,
    message: `No such ${noun}: '${id}'`,
  });

export const keyInUse = (key: string): StripeRefusal =>
  new StripeRefusal(
    409,
    {
      type: "invalid_request_error",
      code: "idempotency_key_in_use",
      message: `There is currently another in-progress request using this Idempotent Key: ${key}. Please try again later.`,
    },
    { "stripe-should-retry": "true" },
  );

export function keyMismatch(key: string, endpoints: { first: string; now: string }): StripeRefusal {
  const why =
    endpoints.first === endpoints.now
      ? "with the same parameters they were first used with"
      : `for the same endpoint they were first used for ('${endpoints.now}' vs '${endpoints.first}')`;
  return new StripeRefusal(400, {
    type: "idempotency_error",
    message: `Keys for idempotent requests can only be used ${why}. Try using a key other than '${key}' if you meant to execute a different request.`,
  });
}

/** Errors that a fault asks for: a key that is in use, one that is refused, the rate limit, failures of Stripe itself. */
export function faultRefusal(status: number): Answer {
  if (status === 409) return keyInUse("of this request").answer;
  if (status === 401) return keyRefused("Invalid API Key provided: a fault asked for it.").answer;
  if (status === 429) {
    const message = "Too many requests in a short period of time.";
    return new StripeRefusal(
      429,
      { type: "invalid_request_error", code: "rate_limit", message },
      { "retry-after": "1" },
    ).answer;
  }
  const type = status >= 500 ? "api_error" : "invalid_request_error";
  const message = "An error that a fault of the sandbox asked for.";
  return new StripeRefusal(status, { type, message }, { "stripe-should-retry": "false" }).answer;
}

/** The test key of a request; live keys have no business here. */
export function checkStripeKey(authorization: string | undefined): void {
  if (/^Bearer sk_test_\w+$/.test(authorization ?? "")) return;
  const message =
    authorization === undefined
      ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
      : "Invalid API Key provided: the sandbox takes only keys that begin with sk_test_.";
  throw keyRefused(message);
}

const keyRefused = (message: string): StripeRefusal =>
  new StripeRefusal(401, { type: "invalid_request_error", message });

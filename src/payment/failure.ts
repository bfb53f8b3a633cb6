// How a call to Stripe can fail, and what each failure means: the table that everything which calls Stripe follows. Pure.

/** What an error of Stripe's SDK shows, as far as this table looks at it. */
export interface FailureFacts {
  /** The HTTP status; undefined: no answer came. */
  readonly status: number | undefined;
  readonly code: string | undefined;
  /** The parameters are not those that the idempotency key was used with before. */
  readonly isKeyMismatch: boolean;
  /** The error shows the PaymentIntent as it is. */
  readonly showsIntent: boolean;
  /** The parameter that is wrong, if Stripe named one. */
  readonly param: string | undefined;
}

/** Every way in which a call to Stripe fails. */
export type Failure =
  /** A timeout or a reset connection: it may or may not have been executed. */
  | "answer_lost"
  /** 409: the same key is at work in another call. */
  | "key_in_use"
  /** 400: the key was used with other parameters before. */
  | "key_mismatch"
  /** 402: the bank, or Stripe for it, said no. */
  | "declined"
  /** 429: too many calls; the limiter stands before the execution. */
  | "rate_limited"
  /** 5xx: it may or may not have been executed, and the key now answers the same 5xx for ever. */
  | "server_error"
  /** 400: the PaymentIntent has moved on. */
  | "unexpected_state"
  /** 401, 403: Stripe does not take our secret key. */
  | "not_allowed"
  /** 400 or 404 for the payment method that the customer named. */
  | "wrong_method"
  /** Any other 4xx: the call is wrong, and stays so. */
  | "wrong_request";

/** What follows from a failure. */
export type Consequence =
  /** The same call again later, with the same key: it may have been executed, so the outcome is UNKNOWN. */
  | "repeat"
  /** The same call again later, with the same key: this one was not executed, so nothing is known that was not before. */
  | "wait"
  /** No repetition: Stripe is asked what there is. */
  | "look"
  /** The error shows the PaymentIntent, which is the truth. */
  | "believe_intent"
  /** It was not executed, and will not be. */
  | "refused"
  /** Nothing by itself: an operator decides. */
  | "park";

export interface Row {
  readonly next: Consequence;
  /** Where the error shows no PaymentIntent. */
  readonly otherwise?: Consequence;
  /** An operator must hear of it. */
  readonly tell: boolean;
}

/** https://docs.stripe.com/error-low-level and https://docs.stripe.com/api/idempotent_requests */
export const FAILURES: Readonly<Record<Failure, Row>> = {
  answer_lost: { next: "repeat", tell: false },
  key_in_use: { next: "wait", tell: false },
  key_mismatch: { next: "park", tell: true },
  declined: { next: "believe_intent", otherwise: "refused", tell: false },
  rate_limited: { next: "wait", tell: false },
  server_error: { next: "look", tell: false },
  unexpected_state: { next: "believe_intent", otherwise: "look", tell: false },
  not_allowed: { next: "refused", tell: true },
  wrong_method: { next: "refused", tell: false },
  wrong_request: { next: "refused", tell: true },
};

/** Which failure it is. By status and code, not by the SDK's class: for a 409 that is the class of a server error. */
export function failureOf(facts: FailureFacts): Failure {
  const { status, code } = facts;
  if (status === undefined) return "answer_lost";
  if (facts.isKeyMismatch) return "key_mismatch";
  if (status === 409) return "key_in_use";
  if (status === 402) return "declined";
  if (status === 429) return "rate_limited";
  if (status === 401 || status === 403) return "not_allowed";
  if (code === "payment_intent_unexpected_state") return "unexpected_state";
  if (facts.param === "payment_method") return "wrong_method";
  if (status >= 400 && status < 500) return "wrong_request";
  return "server_error";
}

/** What follows from the failure, for an error with these facts. */
export function consequenceOf(failure: Failure, { showsIntent }: FailureFacts): Consequence {
  const { next, otherwise } = FAILURES[failure];
  return next === "believe_intent" && !showsIntent ? (otherwise ?? "look") : next;
}

/** The attempt was refused by the customer's bank, or names a payment method that does not exist: what card testers cause. */
export const isCustomersRefusal = (failure: Failure): boolean =>
  failure === "declined" || failure === "wrong_method";

// How a call to Stripe ended: its answer, or the row of the failure table that its error belongs to.
import Stripe from "stripe";
import { TransientError } from "../../platform/transient.ts";
import {
  type Consequence,
  consequenceOf,
  type Failure,
  failureOf,
  FAILURES,
  type FailureFacts,
} from "../failure.ts";

/** A call that failed, without what its error holds besides: that may be a client secret. */
export interface FailedCall {
  readonly failure: Failure;
  /** An operator must hear of it. */
  readonly tell: boolean;
  /** Stripe's most exact word for it: "insufficient_funds". */
  readonly code: string;
  readonly message: string;
  /** Stripe's "req_…", to ask Stripe about. */
  readonly requestId: string | undefined;
}

/** How a call ended. */
export type CallResult<T> =
  | { readonly outcome: "answered"; readonly value: T }
  | { readonly outcome: Exclude<Consequence, "believe_intent">; readonly failed: FailedCall };

/** Makes a call. Only what is no error of Stripe's, a bug, is thrown; `read` takes the PaymentIntent of an error that shows it. */
export async function resultOf<T>(
  work: () => Promise<T>,
  read?: (intent: Stripe.PaymentIntent) => T,
): Promise<CallResult<T>> {
  try {
    return { outcome: "answered", value: await work() };
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const facts = factsOf(error, read !== undefined);
    const failure = failureOf(facts);
    const outcome = consequenceOf(failure, facts);
    const intent = error.payment_intent;
    if (outcome === "believe_intent" && read !== undefined && intent !== undefined)
      return { outcome: "answered", value: read(intent) };
    return {
      outcome: outcome === "believe_intent" ? "look" : outcome,
      failed: toFailedCall(failure, error),
    };
  }
}

function factsOf(error: Stripe.errors.StripeError, readsIntent: boolean): FailureFacts {
  return {
    status:
      error instanceof Stripe.errors.StripeConnectionError ? undefined : (error.statusCode ?? 500),
    code: error.code,
    isKeyMismatch: error instanceof Stripe.errors.StripeIdempotencyError,
    showsIntent: readsIntent && error.payment_intent !== undefined,
    param: error.param,
  };
}

const toFailedCall = (failure: Failure, error: Stripe.errors.StripeError): FailedCall => ({
  failure,
  tell: FAILURES[failure].tell,
  code: error.decline_code ?? error.code ?? error.type,
  message: error.message,
  requestId: error.requestId,
});

/** A read that failed may be made again, unless Stripe refused it. Throws a TransientError, or Stripe's error. */
export async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    const { failure, message } = toFailedCall(failureOf(factsOf(error, false)), error);
    const passes =
      failure === "answer_lost" || failure === "server_error" || failure === "rate_limited";
    if (passes) throw new TransientError(`Stripe cannot be asked now: ${message}`);
    throw error;
  }
}

// Stripe: the only file that imports its SDK. Each way a call can end is told apart here, and nowhere else.
import Stripe from "stripe";
import { Refusal } from "../platform/refusal.ts";
import { TransientError } from "../platform/transient.ts";
import type { StripeSettings } from "./config.ts";
import type { Snapshot } from "./payment.ts";

/** The version of Stripe's API that this code was written against. */
const API_VERSION = "2026-10-28.endive";
const CALL_TIMEOUT_MS = 8000;
const NETWORK_RETRIES = 2;
/** How far a webhook's timestamp may lie from now, in seconds, either way. https://docs.stripe.com/webhooks#replay-attacks */
const WEBHOOK_TOLERANCE_S = 300;

/** What an attempt asks of Stripe, stored with it to the letter. */
export type AttemptParams =
  | { readonly call: "create"; readonly params: Stripe.PaymentIntentCreateParams }
  | {
      readonly call: "confirm";
      readonly paymentIntentId: string;
      readonly params: Stripe.PaymentIntentConfirmParams;
    };

/** How a call ended. */
export type CallResult =
  | { readonly outcome: "answered"; readonly snapshot: Snapshot; readonly clientSecret: string }
  /** Stripe refused it for good, and no PaymentIntent tells of it. */
  | { readonly outcome: "refused"; readonly declineCode: string }
  /** It may or may not have been executed: repeat it with the same key. */
  | { readonly outcome: "unknown"; readonly reason: string }
  /** It was not executed: make it later. With an error, an operator must do something first. */
  | { readonly outcome: "later"; readonly reason: string; readonly error?: unknown }
  /** Our mistake: no repetition helps, an operator must look. */
  | { readonly outcome: "broken"; readonly reason: string; readonly error: unknown };

/** A webhook's event, verified. The payload holds no client secret. */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly paymentIntentId: string;
  readonly payload: unknown;
}

export interface StripeRoom {
  attempt(params: AttemptParams, idempotencyKey: string): Promise<CallResult>;
  /** The PaymentIntent as it is now. Throws a TransientError when Stripe cannot be asked now. */
  retrieve(paymentIntentId: string): Promise<{ snapshot: Snapshot; clientSecret: string }>;
  /** Refuses, with invalid_argument, what Stripe did not sign or signed too long ago. */
  verifyWebhook(body: Buffer, signature: string): StripeEvent;
  /** The PaymentIntent that a stored event holds, if its state is final: no need to fetch it again. */
  finalSnapshotOf(payload: unknown): Snapshot | undefined;
  paymentIdOf(payload: unknown): string;
}

export function openStripe(settings: StripeSettings): StripeRoom {
  const base = settings.baseUrl === undefined ? undefined : new URL(settings.baseUrl);
  const stripe = new Stripe(settings.secretKey, {
    apiVersion: API_VERSION,
    timeout: CALL_TIMEOUT_MS,
    maxNetworkRetries: NETWORK_RETRIES,
    telemetry: false,
    ...(base && { host: base.hostname, port: Number(base.port || 80), protocol: "http" as const }),
  });
  return {
    attempt: async (attempt, idempotencyKey) => {
      try {
        return answered(await call(stripe, attempt, idempotencyKey));
      } catch (error) {
        return resultOf(error);
      }
    },
    retrieve: async (id) => {
      const intent = await stripe.paymentIntents.retrieve(id).catch(throwReadable);
      return { snapshot: snapshotOf(intent), clientSecret: intent.client_secret ?? "" };
    },
    verifyWebhook: (body, signature) => verify(stripe, settings.webhookSecrets, body, signature),
    finalSnapshotOf: (payload) => {
      const intent = intentOf(payload);
      return intent && (intent.status === "succeeded" || intent.status === "canceled")
        ? snapshotOf(intent)
        : undefined;
    },
    paymentIdOf: (payload) => intentOf(payload)?.metadata?.["payment_id"] ?? "",
  };
}

const call = (
  stripe: Stripe,
  attempt: AttemptParams,
  idempotencyKey: string,
): Promise<Stripe.PaymentIntent> =>
  attempt.call === "create"
    ? stripe.paymentIntents.create(attempt.params, { idempotencyKey })
    : stripe.paymentIntents.confirm(attempt.paymentIntentId, attempt.params, { idempotencyKey });

const answered = (intent: Stripe.PaymentIntent): CallResult => ({
  outcome: "answered",
  snapshot: snapshotOf(intent),
  clientSecret: intent.client_secret ?? "",
});

function snapshotOf(intent: Stripe.PaymentIntent): Snapshot {
  const error = intent.last_payment_error;
  return {
    paymentIntentId: intent.id,
    status: intent.status,
    amountReceived: intent.amount_received,
    currency: intent.currency,
    paymentId: intent.metadata?.["payment_id"] ?? "",
    ...(error && { declineCode: error.decline_code ?? error.code ?? error.type }),
  };
}

/**
 * Reads a failed call. By status code and code rather than by class: the SDK throws a StripeAPIError for a 409.
 * https://docs.stripe.com/error-low-level
 */
function resultOf(error: unknown): CallResult {
  if (!(error instanceof Stripe.errors.StripeError))
    return { outcome: "broken", reason: "not an answer of Stripe", error };
  const { statusCode, code, payment_intent: intent } = error;
  // A declined card, or a PaymentIntent that has moved on: Stripe shows its state, which is the truth.
  if (intent !== undefined && (statusCode === 402 || code === "payment_intent_unexpected_state"))
    return answered(intent);
  if (error instanceof Stripe.errors.StripeConnectionError)
    return { outcome: "unknown", reason: "the answer was lost" };
  if (error instanceof Stripe.errors.StripeIdempotencyError)
    return {
      outcome: "broken",
      reason: "the idempotency key was used with other parameters",
      error,
    };
  if (statusCode === 409) return { outcome: "unknown", reason: "the same call is still running" };
  if (statusCode === 429) return { outcome: "later", reason: "Stripe's rate limit" };
  if (statusCode === 401 || statusCode === 403)
    return { outcome: "later", reason: "Stripe refuses STRIPE_SECRET_KEY", error };
  if (statusCode !== undefined && statusCode >= 500)
    return { outcome: "unknown", reason: `Stripe answered ${statusCode}` };
  if (statusCode === 400 || statusCode === 402 || statusCode === 404)
    return { outcome: "refused", declineCode: error.decline_code ?? code ?? error.type };
  return { outcome: "broken", reason: `Stripe answered ${statusCode ?? "nothing"}`, error };
}

/** A read that failed may be made again, unless Stripe refused it. */
function throwReadable(error: unknown): never {
  if (error instanceof Stripe.errors.StripeError) {
    const { statusCode } = error;
    const refused = statusCode !== undefined && statusCode < 500 && statusCode !== 429;
    if (!refused) throw new TransientError("Stripe cannot be reached", { cause: error });
  }
  throw error;
}

function verify(
  stripe: Stripe,
  secrets: readonly string[],
  body: Buffer,
  signature: string,
): StripeEvent {
  const event = secrets
    .map((secret) => constructEvent(stripe, secret, body, signature))
    .find((found) => found !== undefined);
  if (event === undefined)
    throw new Refusal("invalid_argument", "the stripe-signature does not fit the body");
  const signed = Number(/(?:^|,)t=(\d+)/.exec(signature)?.[1] ?? 0);
  // The SDK refuses an old timestamp, but not one from the future.
  if (signed > Date.now() / 1000 + WEBHOOK_TOLERANCE_S)
    throw new Refusal("invalid_argument", "the stripe-signature is of the future");
  const object = event.data.object as {
    object?: string;
    id?: string;
    payment_intent?: unknown;
    client_secret?: unknown;
  };
  delete object.client_secret;
  const related = typeof object.payment_intent === "string" ? object.payment_intent : "";
  return {
    id: event.id,
    type: event.type,
    paymentIntentId: object.object === "payment_intent" ? (object.id ?? "") : related,
    payload: event,
  };
}

function constructEvent(
  stripe: Stripe,
  secret: string,
  body: Buffer,
  signature: string,
): Stripe.Event | undefined {
  try {
    return stripe.webhooks.constructEvent(body, signature, secret, WEBHOOK_TOLERANCE_S);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return undefined;
    throw new Refusal("invalid_argument", "the body is not an event of Stripe");
  }
}

function intentOf(payload: unknown): Stripe.PaymentIntent | undefined {
  const object = (payload as Stripe.Event).data.object as { object?: string };
  return object.object === "payment_intent" ? (object as Stripe.PaymentIntent) : undefined;
}

// Stripe's events: verified where they come by webhook, and read from the inbox again.
import Stripe from "stripe";
import { Refusal } from "../../platform/refusal.ts";
import type { Snapshot } from "../payment.ts";
import { toSnapshot } from "./objects.ts";

/** How far a webhook's timestamp may lie from now, in seconds, either way. https://docs.stripe.com/webhooks#replay-attacks */
const TOLERANCE_S = 300;

/** What an event speaks of. Its payload holds no client secret. */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  /** The PaymentIntent that it speaks of, or whose refund, charge or dispute it does; "". */
  readonly paymentIntentId: string;
  /** The refund, dispute, charge or PaymentIntent. */
  readonly objectId: string;
  /** Our payment, as the object's metadata says; "". */
  readonly paymentId: string;
  /** Our order, as the object's metadata says; "". */
  readonly orderId: string;
  /** The deployment of ours that made the object, as its metadata says; undefined: it does not say. */
  readonly environment: string | undefined;
  readonly isLive: boolean;
  readonly payload: unknown;
}

/** What every object that we look at may have; an event's object is whatever Stripe made it. */
interface AnyObject {
  readonly object?: unknown;
  readonly id?: unknown;
  readonly payment_intent?: unknown;
  readonly metadata?: Readonly<Record<string, string>> | null;
}

/** Reads an event as it was sent, listed or stored. */
export function toStripeEvent(event: Stripe.Event): StripeEvent {
  const object = event.data.object as AnyObject & { client_secret?: unknown };
  delete object.client_secret;
  const id = typeof object.id === "string" ? object.id : "";
  const related = typeof object.payment_intent === "string" ? object.payment_intent : "";
  return {
    id: event.id,
    type: event.type,
    paymentIntentId: object.object === "payment_intent" ? id : related,
    objectId: id,
    paymentId: object.metadata?.["payment_id"] ?? "",
    orderId: object.metadata?.["order_id"] ?? "",
    environment: object.metadata?.["env"],
    isLive: event.livemode,
    payload: event,
  };
}

/** Reads an event of the inbox. */
export const readStored = (payload: unknown): StripeEvent => toStripeEvent(payload as Stripe.Event);

/** The PaymentIntent that an event holds, if its state is final: there is no need to fetch it again. */
export function finalSnapshotOf({ payload }: StripeEvent): Snapshot | undefined {
  const { object } = (payload as Stripe.Event).data as { object: { object?: string } };
  if (object.object !== "payment_intent") return undefined;
  const intent = object as Stripe.PaymentIntent;
  return intent.status === "succeeded" || intent.status === "canceled"
    ? toSnapshot(intent)
    : undefined;
}

/** Refuses, with invalid_argument, what Stripe did not sign with one of the secrets, or signed too long ago. */
export function verify(
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
  if (signed > Date.now() / 1000 + TOLERANCE_S)
    throw new Refusal("invalid_argument", "the stripe-signature is of the future");
  return toStripeEvent(event);
}

function constructEvent(
  stripe: Stripe,
  secret: string,
  body: Buffer,
  signature: string,
): Stripe.Event | undefined {
  try {
    return stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_S);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return undefined;
    throw new Refusal("invalid_argument", "the body is not an event of Stripe");
  }
}

// Stripe as this service sees it: the calls that it makes, and the events that it believes. Only this folder knows the SDK.
import Stripe from "stripe";
import type { StripeSettings } from "../config.ts";
import type { DisputeSnapshot } from "../dispute.ts";
import type { Snapshot } from "../payment.ts";
import type { RefundSnapshot } from "../refund.ts";
import { type CallResult, reading, resultOf } from "./call.ts";
import { type StripeEvent, toStripeEvent, verify } from "./event.ts";
import {
  type IntentAnswer,
  toDisputeSnapshot,
  toIntentAnswer,
  toRefundSnapshot,
  toSnapshot,
} from "./objects.ts";

/** The version of Stripe's API that this code was written against. */
const API_VERSION = "2026-10-28.endive";
/** The SDK's own retries of one call keep its idempotency key. */
const NETWORK_RETRIES = 2;
/** The most that Stripe gives a page of a list. */
const PAGE_SIZE = 100;
/** Lists are read so far, in objects: a list that is longer proves nothing. */
const LIST_LIMIT = 5000;

/** What an attempt asks of Stripe, stored with it to the letter. */
export type AttemptParams =
  | { readonly call: "create"; readonly params: Stripe.PaymentIntentCreateParams }
  | {
      readonly call: "confirm";
      readonly paymentIntentId: string;
      readonly params: Stripe.PaymentIntentConfirmParams;
    };

/** What a refund asks of Stripe, stored with it to the letter. */
export type RefundParams = Stripe.RefundCreateParams;

/** Objects that were found in a list. */
export interface Found<T> {
  readonly items: readonly T[];
  /** The whole list was read: what is not in it does not exist. */
  readonly isWhole: boolean;
}

export interface StripeRoom {
  /** Whether the secret key moves real money. */
  readonly isLive: boolean;
  attempt(params: AttemptParams, idempotencyKey: string): Promise<CallResult<IntentAnswer>>;
  /** Under a key of its own each time: what is cancelled stays so, however often it is asked for. */
  cancel(paymentIntentId: string, isAbandoned: boolean): Promise<CallResult<IntentAnswer>>;
  refund(params: RefundParams, idempotencyKey: string): Promise<CallResult<RefundSnapshot>>;
  /** The PaymentIntent as it is now. This and the other reads throw a TransientError when Stripe cannot be asked now. */
  retrieve(paymentIntentId: string): Promise<IntentAnswer>;
  /** The PaymentIntents of these seconds (since 1970) that say they belong to the payment. */
  findIntents(
    paymentId: string,
    created: { readonly gte: number; readonly lte: number },
  ): Promise<Found<Snapshot>>;
  retrieveRefund(stripeRefundId: string): Promise<RefundSnapshot>;
  listRefunds(paymentIntentId: string): Promise<Found<RefundSnapshot>>;
  retrieveDispute(disputeId: string): Promise<DisputeSnapshot>;
  /** Events of these types that Stripe could not deliver, the oldest first where `after`, the ID of an event, is given. */
  undelivered(types: readonly string[], after: string | undefined): AsyncIterable<StripeEvent>;
  /** Refuses, with invalid_argument, what Stripe did not sign or signed too long ago. */
  verifyWebhook(body: Buffer, signature: string): StripeEvent;
}

export function openStripe(settings: StripeSettings): StripeRoom {
  const stripe = sdk(settings);
  const { paymentIntents, refunds, disputes } = stripe;
  return {
    isLive: /^[rs]k_live_/.test(settings.secretKey),
    attempt: (attempt, idempotencyKey) =>
      resultOf(async () => {
        const intent = await (attempt.call === "create"
          ? paymentIntents.create(attempt.params, { idempotencyKey })
          : paymentIntents.confirm(attempt.paymentIntentId, attempt.params, { idempotencyKey }));
        return toIntentAnswer(intent);
      }, toIntentAnswer),
    cancel: (id, isAbandoned) =>
      resultOf(async () => {
        const reason = isAbandoned ? "abandoned" : "requested_by_customer";
        return toIntentAnswer(await paymentIntents.cancel(id, { cancellation_reason: reason }));
      }, toIntentAnswer),
    refund: (params, idempotencyKey) =>
      resultOf(async () => toRefundSnapshot(await refunds.create(params, { idempotencyKey }))),
    retrieve: (id) => reading(async () => toIntentAnswer(await paymentIntents.retrieve(id))),
    findIntents: (paymentId, created) =>
      reading(async () => {
        const all = await take(paymentIntents.list({ created, limit: PAGE_SIZE }));
        const items = all.items.map(toSnapshot).filter((found) => found.paymentId === paymentId);
        return { ...all, items };
      }),
    retrieveRefund: (id) => reading(async () => toRefundSnapshot(await refunds.retrieve(id))),
    listRefunds: (id) =>
      reading(async () => {
        const all = await take(refunds.list({ payment_intent: id, limit: PAGE_SIZE }));
        return { ...all, items: all.items.map(toRefundSnapshot) };
      }),
    retrieveDispute: (id) => reading(async () => toDisputeSnapshot(await disputes.retrieve(id))),
    undelivered: (types, after) => undelivered(stripe, types, after),
    verifyWebhook: (body, signature) => verify(stripe, settings.webhookSecrets, body, signature),
  };
}

function sdk(settings: StripeSettings): Stripe {
  const base = settings.baseUrl === undefined ? undefined : new URL(settings.baseUrl);
  return new Stripe(settings.secretKey, {
    apiVersion: API_VERSION,
    timeout: settings.timeoutMs,
    maxNetworkRetries: NETWORK_RETRIES,
    telemetry: false,
    ...(base && { host: base.hostname, port: Number(base.port || 80), protocol: "http" as const }),
  });
}

/** Reads a list, page after page, up to the limit. */
async function take<T>(list: AsyncIterable<T>): Promise<Found<T>> {
  const items: T[] = [];
  for await (const item of list) {
    if (items.length === LIST_LIMIT) return { items, isWhole: false };
    items.push(item);
  }
  return { items, isWhole: true };
}

async function* undelivered(
  stripe: Stripe,
  types: readonly string[],
  after: string | undefined,
): AsyncIterable<StripeEvent> {
  const events = stripe.events.list({
    delivery_success: false,
    types: [...types],
    limit: PAGE_SIZE,
    ...(after !== undefined && { ending_before: after }),
  });
  try {
    for await (const event of events) yield toStripeEvent(event);
  } catch (error) {
    await reading(() => Promise.reject(error as Error));
  }
}

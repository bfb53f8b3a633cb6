// Stripe's webhooks: verified and stored when they come, applied later by a worker at our own pace.
import type { Database, Transaction } from "../platform/database/open.ts";
import type { Log } from "../platform/log.ts";
import { continueTrace } from "../platform/trace.ts";
import { applySnapshot, tellReview } from "./apply.ts";
import type { PaymentParts } from "./initiate.ts";
import { isFinal, settleWaitMs, type PaymentState } from "./payment.ts";
import {
  claimDueEvents,
  findPaymentOfIntent,
  saveEventOutcome,
  saveStripeEvent,
  type PaymentRow,
  type StripeEventRow,
} from "./store.ts";
import type { StripeRoom } from "./stripe.ts";

const EVENT_LEASE_MS = 10_000;
const WORKER_BATCH = 32;
/** When an event that no payment fits is told to the operators, in tries: about a minute and a half. */
const UNMATCHED_ALARM_TRIES = 6;

/** The events that change a payment. Others are stored and ignored. */
const APPLIED_TYPES = new Set([
  "payment_intent.requires_action",
  "payment_intent.processing",
  "payment_intent.amount_capturable_updated",
  "payment_intent.payment_failed",
  "payment_intent.succeeded",
  "payment_intent.canceled",
]);

/** Stores a webhook's event. Refuses what Stripe did not sign; a database that is away throws, and Stripe sends it again. */
export async function receiveWebhook(
  parts: { readonly db: Database; readonly stripe: StripeRoom },
  body: Buffer,
  signature: string,
): Promise<void> {
  const event = parts.stripe.verifyWebhook(body, signature);
  const now = new Date();
  const fate = APPLIED_TYPES.has(event.type)
    ? { status: "RECEIVED", dueTime: now }
    : { status: "IGNORED", reason: "events of this type change nothing here", dueTime: null };
  await saveStripeEvent(parts.db, { ...event, ...fate, receiveTime: now });
}

/** Applies the events that are due. The number of them. */
export async function applyDueEvents(parts: PaymentParts): Promise<number> {
  const due = await claimDueEvents(parts.db, { limit: WORKER_BATCH, leaseMs: EVENT_LEASE_MS });
  const byIntent = Map.groupBy(due, (event) => event.paymentIntentId);
  await Promise.all([...byIntent.values()].map((events) => applyInTurn(parts, events)));
  return due.length;
}

async function applyInTurn(parts: PaymentParts, events: readonly StripeEventRow[]): Promise<void> {
  for (const event of events) await applyEvent(parts, event);
}

async function applyEvent(parts: PaymentParts, event: StripeEventRow): Promise<void> {
  const payment = await findPaymentOfIntent(
    parts.db,
    event.paymentIntentId,
    parts.stripe.paymentIdOf(event.payload),
  );
  if (payment === undefined) return await leaveUnmatched(parts, event);
  await continueTrace(payment.traceparent, () => applyTo(payment, parts, event));
}

async function applyTo(
  payment: PaymentRow,
  parts: PaymentParts,
  event: StripeEventRow,
): Promise<void> {
  const done = (status: string, reason = "", db: Database | Transaction = parts.db) =>
    saveEventOutcome(db, event.id, { status, reason, dueInMs: null });
  if (isFinal(payment.status as PaymentState))
    return await done("IGNORED", `late event ignored: already ${payment.status}`);

  const fetchTime = new Date();
  const snapshot =
    parts.stripe.finalSnapshotOf(event.payload) ??
    (await parts.stripe.retrieve(event.paymentIntentId)).snapshot;
  const applied = await parts.inTransaction(async (tx) => {
    const news = await applySnapshot(tx, parts.outbox, payment.id, { snapshot, fetchTime });
    await done(news.ignored === undefined ? "APPLIED" : "IGNORED", news.ignored, tx);
    return news;
  });
  if (applied.ignored === undefined) tellReview(parts.log, applied.payment);
}

/** No payment of ours, or not yet: it is kept and tried again, never dropped. */
async function leaveUnmatched(
  parts: { readonly db: Database; readonly log: Log },
  event: StripeEventRow,
): Promise<void> {
  const about = {
    stripeEventId: event.id,
    type: event.type,
    paymentIntentId: event.paymentIntentId,
  };
  if (event.tries === UNMATCHED_ALARM_TRIES)
    parts.log.error(about, "a Stripe event fits no payment of ours");
  await saveEventOutcome(parts.db, event.id, {
    status: "UNMATCHED",
    reason: "no payment of ours has this PaymentIntent",
    dueInMs: settleWaitMs(event.tries - 1),
  });
}

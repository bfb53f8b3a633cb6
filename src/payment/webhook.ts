// Stripe's webhooks: verified and stored when they come, applied later by a worker at our own pace.
import type { Database, Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { continueTrace } from "../platform/trace.ts";
import { isTransient } from "../platform/transient.ts";
import { applySnapshot } from "./apply.ts";
import { noteStored } from "./event-note.ts";
import {
  claimDueEvents,
  saveEventOutcome,
  saveStripeEvent,
  type StripeEventRow,
} from "./event-store.ts";
import { applyDispute, applyRefund } from "./facets.ts";
import type { PaymentParts } from "./parts.ts";
import { isFinal, type PaymentState } from "./payment.ts";
import { settleWaitMs } from "./schedule.ts";
import { findPaymentOfIntent, UUID, type PaymentRow } from "./store.ts";
import { unmatchedLine, webhookLine } from "./story.ts";
import { finalSnapshotOf, readStored, type StripeEvent } from "./stripe/event.ts";

const WORKER_BATCH = 32;
/** When an event that no payment fits is told to the operators, in tries: about a minute and a half. */
const UNMATCHED_ALARM_TRIES = 6;

/** The events that change a payment, its refunds or its disputes. Others are stored and ignored. */
export const APPLIED_TYPES: ReadonlySet<string> = new Set([
  "payment_intent.requires_action",
  "payment_intent.processing",
  "payment_intent.amount_capturable_updated",
  "payment_intent.payment_failed",
  "payment_intent.succeeded",
  "payment_intent.canceled",
  "refund.created",
  "refund.updated",
  "refund.failed",
  "charge.refunded",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.dispute.closed",
  "charge.dispute.funds_withdrawn",
  "charge.dispute.funds_reinstated",
]);

type InboxParts = Pick<PaymentParts, "db" | "stripe" | "log" | "environment">;

/** Stores a webhook's event. Refuses what Stripe did not sign; a database that is away throws, and Stripe sends it again. */
export async function receiveWebhook(
  parts: InboxParts,
  body: Buffer,
  signature: string,
): Promise<void> {
  await storeEvent(parts, parts.stripe.verifyWebhook(body, signature), { isFetched: false });
}

/** Stores an event, once, however often and by whichever way it comes; the timeline tells of a repetition once. */
export async function storeEvent(
  parts: InboxParts,
  event: StripeEvent,
  { isFetched }: { readonly isFetched: boolean },
): Promise<void> {
  const { id, type, paymentIntentId, payload } = event;
  const now = new Date();
  const why = whyIgnored(parts, event);
  const fate =
    why === undefined
      ? { status: "RECEIVED", dueTime: now }
      : { status: "IGNORED", reason: why, dueTime: null };
  const isNew = await saveStripeEvent(parts.db, {
    id,
    type,
    paymentIntentId,
    payload,
    ...fate,
    receiveTime: now,
  });
  await noteStored(parts.db, event, { isNew, isFetched, ignored: why });
}

function whyIgnored({ stripe, environment, log }: InboxParts, event: StripeEvent) {
  if (!APPLIED_TYPES.has(event.type)) return "events of this type change nothing here";
  const foreign = whyForeign(event, { isLive: stripe.isLive, environment });
  if (foreign !== undefined)
    log.warn({ stripeEventId: event.id, type: event.type, reason: foreign }, "a foreign event");
  return foreign;
}

/** An event of real money in a test, of a test where money is real, or of another deployment that shares the account. */
function whyForeign(
  event: StripeEvent,
  own: { readonly isLive: boolean; readonly environment: string },
): string | undefined {
  if (event.isLive !== own.isLive)
    return `its livemode is ${event.isLive}, that of our key is ${own.isLive}`;
  if (event.environment !== undefined && event.environment !== own.environment)
    return `it is of the deployment "${event.environment}", not of "${own.environment}"`;
  return undefined;
}

/** Applies the events that are due. The number of them. */
export async function applyDueEvents(parts: PaymentParts): Promise<number> {
  const due = await claimDueEvents(parts.db, { limit: WORKER_BATCH, leaseMs: parts.pace.leaseMs });
  const byIntent = Map.groupBy(due, (event) => event.paymentIntentId);
  await Promise.all([...byIntent.values()].map((events) => applyInTurn(parts, events)));
  return due.length;
}

async function applyInTurn(parts: PaymentParts, rows: readonly StripeEventRow[]): Promise<void> {
  for (const row of rows) {
    try {
      await applyEvent(parts, row, readStored(row.payload));
    } catch (error) {
      const about = { stripeEventId: row.id, type: row.type, error };
      if (isTransient(error)) parts.log.warn(about, "an event will be tried again");
      else parts.log.error(about, "an event cannot be applied; it will be tried again");
      await later(parts.db, row, { status: row.status, reason: "it failed; see the log" });
    }
  }
}

async function applyEvent(
  parts: PaymentParts,
  row: StripeEventRow,
  event: StripeEvent,
): Promise<void> {
  const payment = await findPaymentOfIntent(parts.db, event.paymentIntentId, event.paymentId);
  if (payment === undefined) return await leaveUnmatched(parts, row, event);
  await continueTrace(payment.traceparent, async () => {
    if (event.type.startsWith("payment_intent."))
      return await applyIntent(parts, row, event, payment);
    const why = await applyFacet(parts, event, payment);
    await parts.db.transaction((tx) => done(tx, row, payment, why));
  });
}

async function applyIntent(
  parts: PaymentParts,
  row: StripeEventRow,
  event: StripeEvent,
  payment: PaymentRow,
): Promise<void> {
  const held = finalSnapshotOf(event);
  const isOurs = payment.paymentIntentId === event.paymentIntentId;
  if (isFinal(payment.status as PaymentState) && isOurs && payment.status !== "CANCELLED")
    return await parts.db.transaction((tx) => done(tx, row, payment, whyLate(row, payment)));
  const fetchTime = new Date();
  const snapshot = held ?? (await parts.stripe.retrieve(event.paymentIntentId)).snapshot;
  await parts.inTransaction(async (tx) => {
    const { ignored, notYet } = await applySnapshot(tx, parts, payment.id, { snapshot, fetchTime });
    if (notYet === true) await wait(tx, row, payment, ignored ?? "");
    else await done(tx, row, payment, ignored);
  });
}

/** "late payment_failed ignored: already SUCCEEDED" */
const whyLate = ({ type }: StripeEventRow, { status }: PaymentRow): string =>
  `late ${type.replace("payment_intent.", "")} ignored: already ${status}`;

/** Refunds and disputes change in any state of their payment. Why nothing changed, or undefined. */
async function applyFacet(
  parts: PaymentParts,
  event: StripeEvent,
  { id: paymentId }: PaymentRow,
): Promise<string | undefined> {
  const { stripe } = parts;
  const fetchTime = new Date();
  if (event.type.startsWith("charge.dispute.")) {
    const snapshot = await stripe.retrieveDispute(event.objectId);
    const news = { snapshot, fetchTime };
    return await parts.inTransaction((tx) => applyDispute(tx, parts, paymentId, news));
  }
  // charge.refunded says how much was refunded in all, not by which refund: they are listed.
  const snapshots =
    event.type === "charge.refunded"
      ? (await stripe.listRefunds(event.paymentIntentId)).items
      : [await stripe.retrieveRefund(event.objectId)];
  const whys = await parts.inTransaction(async (tx) => {
    const told: (string | undefined)[] = [];
    for (const snapshot of snapshots)
      told.push(await applyRefund(tx, parts, paymentId, { snapshot, fetchTime }));
    return told;
  });
  return whys.includes(undefined) ? undefined : (whys[0] ?? "Stripe has no refund of it");
}

async function done(
  tx: Transaction,
  row: StripeEventRow,
  payment: PaymentRow,
  ignored: string | undefined,
): Promise<void> {
  const fate = ignored === undefined ? "applied" : "ignored";
  await together([
    saveEventOutcome(tx, row.id, {
      status: fate.toUpperCase(),
      reason: ignored ?? "",
      dueInMs: null,
    }),
    recordTimeline(tx, webhookLine(payment, row, fate, ignored ?? "applied")),
  ]);
}

/** Nothing can be said of it yet. The timeline tells it at the first try. */
async function wait(
  tx: Transaction,
  row: StripeEventRow,
  payment: PaymentRow,
  reason: string,
): Promise<void> {
  const lines = row.tries > 1 ? [] : [webhookLine(payment, row, "waits", reason)];
  await together([later(tx, row, { status: "RECEIVED", reason }), recordTimeline(tx, ...lines)]);
}

const later = (
  db: Database | Transaction,
  { id, tries }: StripeEventRow,
  fate: { readonly status: string; readonly reason: string },
): Promise<void> => saveEventOutcome(db, id, { ...fate, dueInMs: settleWaitMs(tries - 1) });

/** No payment of ours, or not yet: it is kept and tried again, never dropped. */
async function leaveUnmatched(
  parts: PaymentParts,
  row: StripeEventRow,
  event: StripeEvent,
): Promise<void> {
  const { id: stripeEventId, type, paymentIntentId } = row;
  if (row.tries === UNMATCHED_ALARM_TRIES)
    parts.log.error(
      { stripeEventId, type, paymentIntentId },
      "a Stripe event fits no payment of ours",
    );
  if (row.tries === 1 && UUID.test(event.orderId))
    await recordTimeline(parts.db, unmatchedLine(event));
  await later(parts.db, row, {
    status: "UNMATCHED",
    reason: "no payment of ours has this PaymentIntent",
  });
}

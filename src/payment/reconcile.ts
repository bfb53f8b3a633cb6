// Asks Stripe by itself: PaymentIntents that wait are looked at now and then, and webhooks that could not be delivered are fetched.
import { recordTimeline } from "../platform/timeline/store.ts";
import { applySnapshot } from "./apply.ts";
import { eachAlone } from "./each-alone.ts";
import type { PaymentParts } from "./parts.ts";
import { checkWaitMs } from "./schedule.ts";
import { claimDueChecks, postponeCheck, type PaymentRow } from "./store.ts";
import { foundLine } from "./story.ts";
import { APPLIED_TYPES, storeEvent } from "./webhook.ts";

const WORKER_BATCH = 16;

/** Looks at the PaymentIntents that are due. The number of them. */
export async function checkDuePayments(parts: PaymentParts): Promise<number> {
  const due = await claimDueChecks(parts.db, { limit: WORKER_BATCH, leaseMs: parts.pace.leaseMs });
  await eachAlone(parts.log, due, (payment) => checkPayment(parts, payment));
  return due.length;
}

async function checkPayment(parts: PaymentParts, seen: PaymentRow): Promise<void> {
  const { db, pace, stripe } = parts;
  // First, so that a PaymentIntent that cannot be read does not hold the worker.
  await postponeCheck(db, seen, checkWaitMs(seen.checkTries, pace.firstCheckMs));
  if (seen.paymentIntentId === null) return;
  const fetchTime = new Date();
  const { snapshot } = await stripe.retrieve(seen.paymentIntentId);
  await parts.inTransaction(async (tx) => {
    const { payment, ignored } = await applySnapshot(tx, parts, seen.id, { snapshot, fetchTime });
    const isNews = ignored === undefined && payment.status !== seen.status;
    if (isNews) await recordTimeline(tx, foundLine(seen, payment));
  });
}

/**
 * Fetches the events that Stripe could not deliver into the inbox, where those that came meanwhile are known. The first run looks
 * at all that Stripe keeps (30 days), a later one at what is new.
 */
export function missedEvents(parts: PaymentParts): () => Promise<number> {
  let newest: string | undefined;
  return async () => {
    const after = newest;
    // Should it fail half-way, or the cursor have grown too old: from the beginning again.
    newest = undefined;
    const seen: string[] = [];
    for await (const event of parts.stripe.undelivered([...APPLIED_TYPES], after)) {
      await storeEvent(parts, event, { isFetched: true });
      seen.push(event.id);
    }
    // Without a cursor the newest comes first, with one it comes last.
    newest = (after === undefined ? seen.at(0) : seen.at(-1)) ?? after;
    return 0;
  };
}

// What the timeline hears when one of Stripe's events is stored: why it will be ignored, that it came again, that it was fetched.
import type { Database } from "../platform/database/open.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { countRepeat } from "./event-store.ts";
import { findPaymentOfIntent } from "./store.ts";
import { webhookLine, type EventFate } from "./story.ts";
import type { StripeEvent } from "./stripe/event.ts";

interface Stored {
  /** False: it was there. */
  readonly isNew: boolean;
  /** We asked Stripe for it. */
  readonly isFetched: boolean;
  /** Why it will not be applied. */
  readonly ignored: string | undefined;
}

/** One line at most for each, where a payment of ours fits: repetitions are counted, and told of once. */
export async function noteStored(db: Database, event: StripeEvent, stored: Stored): Promise<void> {
  const told = await tell(db, event, stored);
  if (told === undefined) return;
  const payment = await findPaymentOfIntent(db, event.paymentIntentId, event.paymentId);
  if (payment !== undefined) await recordTimeline(db, webhookLine(payment, event, ...told));
}

async function tell(
  db: Database,
  { id }: StripeEvent,
  { isNew, isFetched, ignored }: Stored,
): Promise<[EventFate, string] | undefined> {
  if (isNew && ignored !== undefined) return ["ignored", ignored];
  if (isNew) return isFetched ? ["fetched", "Stripe could not deliver it: fetched"] : undefined;
  if (isFetched) return undefined;
  return (await countRepeat(db, id)) === 1 ? ["repeated", "duplicate event ignored"] : undefined;
}

// The books of the sandbox's Stripe: payments, charges, events and whether each event was delivered.
import { stripeId } from "../id.ts";
import type { Journal } from "../journal.ts";
import type { Charge, Payment, Step } from "./payment.ts";
import type { Happening, StoredEvent } from "./to-event.ts";

/** Stripe shows events for that long. https://docs.stripe.com/api/events/list */
export const EVENT_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

/** The request that led to a change; both null where a customer or a bank did. */
export interface Source {
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
}

export interface Ledger {
  readonly payment: (id: string) => Payment | undefined;
  readonly payments: () => Payment[];
  readonly charge: (id: string) => Charge | undefined;
  readonly charges: () => Charge[];
  readonly event: (id: string) => StoredEvent | undefined;
  readonly events: () => StoredEvent[];
  readonly delivered: (eventId: string) => boolean;
  readonly markDelivered: (eventId: string) => void;
  /** Writes what a step led to; belongs inside a change of the journal. */
  readonly record: (step: Step, source: Source) => void;
}

export interface LedgerOptions {
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Called inside the change: what is done about the event must come later. */
  readonly onEvent: (eventId: string) => void;
}

export function openLedger(journal: Journal, options: LedgerOptions): Ledger {
  const payments = journal.collection<Payment>("payment_intent");
  const charges = journal.collection<Charge>("charge");
  const events = journal.collection<StoredEvent>("event");
  const deliveries = journal.collection<"delivered">("delivery");
  const publish = (happening: Happening, source: Source): void => {
    const event = { id: stripeId("evt"), created: options.now(), happening, ...source };
    events.put(event.id, event);
    options.onEvent(event.id);
  };
  return {
    payment: payments.get,
    payments: payments.values,
    charge: charges.get,
    charges: charges.values,
    event: events.get,
    events: events.values,
    delivered: (eventId) => deliveries.get(eventId) === "delivered",
    markDelivered: (eventId) => journal.change(() => deliveries.put(eventId, "delivered")),
    record(step, source) {
      payments.put(step.payment.id, step.payment);
      if (step.charge !== undefined) charges.put(step.charge.id, step.charge);
      for (const type of step.events) {
        const happening = happeningOf(type, step);
        if (happening !== undefined) publish(happening, source);
      }
    },
  };
}

function happeningOf(type: Step["events"][number], step: Step): Happening | undefined {
  if (type !== "charge.succeeded" && type !== "charge.failed")
    return { type, payment: step.payment };
  return step.charge && { type, charge: step.charge };
}

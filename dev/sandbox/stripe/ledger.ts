// The books of the sandbox's Stripe: payments, charges, refunds, disputes, events and what became of each event's webhook.
import { stripeId } from "../id.ts";
import type { Journal } from "../journal.ts";
import type {
  Change,
  Charge,
  Dispute,
  Due,
  Happening,
  Payment,
  Refund,
  StoredEvent,
} from "./records.ts";

/** Stripe shows events for that long. https://docs.stripe.com/api/events/list */
export const EVENT_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;

/** How long a bank of the sandbox takes for what takes real ones days, by the sandbox's clock. */
export const BANK_DELAY_MS = 1000;

/** The request that led to a change; both null where a customer or a bank did. */
export interface Source {
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
}

/** What became of an event's webhook: it waits to be sent, it is held back, it will never be sent, or it was taken. */
export type Delivery = "pending" | "held" | "dropped" | "delivered";

export interface Ledger {
  readonly payment: (id: string) => Payment | undefined;
  readonly payments: () => Payment[];
  readonly charge: (id: string) => Charge | undefined;
  readonly charges: () => Charge[];
  readonly refund: (id: string) => Refund | undefined;
  readonly refunds: () => Refund[];
  readonly dispute: (id: string) => Dispute | undefined;
  readonly disputes: () => Dispute[];
  readonly event: (id: string) => StoredEvent | undefined;
  readonly events: () => StoredEvent[];
  readonly delivery: (eventId: string) => Delivery;
  readonly markDelivery: (eventId: string, delivery: Delivery) => void;
  /** What banks are to have done by now (milliseconds since 1970), each given once; belongs inside a change of the journal. */
  readonly takeDue: (nowMs: number) => Due | undefined;
  /** Writes what a step led to; belongs inside a change of the journal. */
  readonly record: (change: Change, source: Source) => void;
}

export interface LedgerOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Decides what is to become of its webhook. Called inside the change: what is done about it must come later. */
  readonly onEvent: (event: StoredEvent) => Delivery;
}

interface Entry {
  readonly due: Due;
  readonly timeMs: number;
}

export function openLedger(journal: Journal, options: LedgerOptions): Ledger {
  const payments = journal.collection<Payment>("payment_intent");
  const charges = journal.collection<Charge>("charge");
  const refunds = journal.collection<Refund>("refund");
  const disputes = journal.collection<Dispute>("dispute");
  const events = journal.collection<StoredEvent>("event");
  const deliveries = journal.collection<Delivery>("delivery");
  const dues = journal.collection<Entry>("due");
  const publish = (happening: Happening, source: Source): void => {
    const created = Math.floor(options.clock() / 1000);
    const event = { id: stripeId("evt"), created, happening, ...source };
    events.put(event.id, event);
    const delivery = options.onEvent(event);
    if (delivery !== "pending") deliveries.put(event.id, delivery);
  };
  return {
    payment: payments.get,
    payments: payments.values,
    charge: charges.get,
    charges: charges.values,
    refund: refunds.get,
    refunds: refunds.values,
    dispute: disputes.get,
    disputes: disputes.values,
    event: events.get,
    events: events.values,
    delivery: (eventId) => deliveries.get(eventId) ?? "pending",
    markDelivery: (eventId, delivery) => journal.change(() => deliveries.put(eventId, delivery)),
    takeDue(nowMs) {
      const entry = dues.values().find(({ timeMs }) => timeMs <= nowMs);
      if (entry !== undefined) dues.forget(entry.due.objectId);
      return entry?.due;
    },
    record(change, source) {
      if (change.payment !== undefined) payments.put(change.payment.id, change.payment);
      if (change.charge !== undefined) charges.put(change.charge.id, change.charge);
      if (change.refund !== undefined) refunds.put(change.refund.id, change.refund);
      if (change.dispute !== undefined) disputes.put(change.dispute.id, change.dispute);
      if (change.due !== undefined) {
        const timeMs = options.clock() + BANK_DELAY_MS;
        dues.put(change.due.objectId, { due: change.due, timeMs });
      }
      for (const happening of change.happenings) publish(happening, source);
    },
  };
}

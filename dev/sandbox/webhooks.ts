// What becomes of the webhook of each event: sent as usual, or as a fault has it; held back, released, sent again.
import type { BadSignature, Faults } from "./faults.ts";
import { metadataOfEvent } from "./stripe/account.ts";
import type { Delivery, Ledger } from "./stripe/ledger.ts";
import type { StoredEvent } from "./stripe/records.ts";
import type { Attempt, WebhookDispatcher } from "./webhook-dispatcher.ts";

export interface Webhooks {
  /** Decides, when an event happens, what is to become of its webhook. */
  readonly happened: (event: StoredEvent) => Delivery;
  /** How the signature of the next delivery of an event is to be wrong. */
  readonly badSignature: (eventId: string) => BadSignature | undefined;
  /** Sends the rest of what waits to be sent, after a start. */
  readonly resume: (dispatcher: WebhookDispatcher) => void;
  /** Sends held events one after the other, in the order given; without it all of them, as they happened. */
  readonly release: (eventIds?: readonly string[]) => readonly string[];
  /** Sends events now, whatever became of them, and tells how they were answered. Undefined where nobody listens. */
  readonly send: (
    eventIds: readonly string[],
    signature?: BadSignature,
  ) => Promise<Attempt[]> | undefined;
  /** Sends what is gathered for a new order. */
  readonly flush: () => void;
}

export function createWebhooks(ledger: () => Ledger, faults: Faults): Webhooks {
  let dispatcher: WebhookDispatcher | undefined;
  /** Newest first. */
  let gathered: string[] = [];
  const flush = (): void => {
    dispatcher?.enqueue(gathered);
    gathered = [];
  };
  const target = (event: StoredEvent, stage: "event" | "delivery") =>
    ({
      stage,
      provider: "stripe",
      event: event.happening.type,
      metadata: () => metadataOfEvent(ledger(), event),
    }) as const;
  return {
    happened(event) {
      const fault = faults.strike(target(event, "event"));
      switch (fault?.fault) {
        case "webhook_drop":
          return "dropped";
        case "webhook_hold":
          return "held";
        case "webhook_delay":
          dispatcher?.enqueue([event.id], fault.latencyMs);
          return "pending";
        case "webhook_duplicate":
          for (let copy = 0; copy < (fault.copies ?? 2); copy += 1) dispatcher?.enqueue([event.id]);
          return "pending";
        case "webhook_reorder":
          gathered.unshift(event.id);
          if (fault.count === 1) flush();
          return "pending";
        default:
          dispatcher?.enqueue([event.id]);
          return "pending";
      }
    },
    badSignature(eventId) {
      const event = ledger().event(eventId);
      return event && faults.strike(target(event, "delivery"))?.signature;
    },
    resume(started) {
      dispatcher = started;
      for (const { id } of ledger().events())
        if (ledger().delivery(id) === "pending") started.enqueue([id]);
    },
    release(eventIds) {
      const held = ledger()
        .events()
        .flatMap(({ id }) => (ledger().delivery(id) === "held" ? [id] : []));
      const released = eventIds?.filter((id) => held.includes(id)) ?? held;
      for (const id of released) ledger().markDelivery(id, "pending");
      dispatcher?.enqueue(released);
      return released;
    },
    send: (eventIds, signature) => dispatcher?.send(eventIds, signature),
    flush,
  };
}

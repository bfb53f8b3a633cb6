// An event as Stripe's API shows it and its webhooks carry it.
import { Stripe } from "stripe";
import type { StoredEvent } from "./records.ts";
import { toCharge } from "./to-charge.ts";
import { toDispute } from "./to-dispute.ts";
import { toPaymentIntent } from "./to-payment-intent.ts";
import { toRefund } from "./to-refund.ts";

export function toEvent(
  event: StoredEvent,
  shown: { origin: string; pendingWebhooks: number },
): Stripe.Event {
  const head = {
    id: event.id,
    object: "event",
    api_version: Stripe.API_VERSION,
    created: event.created,
    livemode: false,
    pending_webhooks: shown.pendingWebhooks,
    request: { id: event.requestId, idempotency_key: event.idempotencyKey },
  } as const;
  const { happening } = event;
  if ("payment" in happening) {
    const object = toPaymentIntent(happening.payment, shown.origin);
    return { ...head, type: happening.type, data: { object } };
  }
  if ("refund" in happening)
    return { ...head, type: happening.type, data: { object: toRefund(happening.refund) } };
  if ("dispute" in happening)
    return { ...head, type: happening.type, data: { object: toDispute(happening.dispute) } };
  return { ...head, type: happening.type, data: { object: toCharge(happening.charge) } };
}

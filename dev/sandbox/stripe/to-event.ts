// An event as Stripe's API shows it and its webhooks carry it.
import { Stripe } from "stripe";
import type { Charge, ChargeEventType, Payment, PaymentEventType } from "./payment.ts";
import { toCharge } from "./to-charge.ts";
import { toPaymentIntent } from "./to-payment-intent.ts";

/** The object as it was when the event happened; rendered anew whenever it is shown. */
export type Happening =
  | { readonly type: PaymentEventType; readonly payment: Payment }
  | { readonly type: ChargeEventType; readonly charge: Charge };

export interface StoredEvent {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly happening: Happening;
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
}

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
  return { ...head, type: happening.type, data: { object: toCharge(happening.charge) } };
}

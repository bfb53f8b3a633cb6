// A card that is declined, and the same order paid with another one: one PaymentIntent, one charge.
import type { Shown, Stage } from "../stage.ts";

export async function tellDeclined(stage: Stage): Promise<void> {
  const { order } = await stage.order("pm_card_chargeDeclined");
  await stage.becomes("ORDER_STATUS_FAILED");
  await stage.mails("Your order", "Payment refused");
  const body = { paymentMethod: "pm_card_visa" };
  stage.story.tell("client", `POST /v1/orders/…:pay ${JSON.stringify(body)}`);
  await stage.say<Shown>(`/v1/orders/${order.id}:pay`, body);
  await stage.becomes("ORDER_STATUS_PAID");
  await stage.mails("Payment received");
  await stage.ledger();
}

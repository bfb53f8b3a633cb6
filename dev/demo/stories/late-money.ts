// Money that comes when the order is cancelled already goes back by itself, and the customer is told.
import type { Shown, Stage } from "../stage.ts";

export async function tellLateMoney(stage: Stage): Promise<void> {
  const { order, payment } = await stage.order("pm_that_stripe_does_not_know");
  await stage.becomes("ORDER_STATUS_FAILED");
  stage.story.tell("client", "POST /v1/orders/…:cancel");
  await stage.say<Shown>(`/v1/orders/${order.id}:cancel`, {});
  await stage.becomes("ORDER_STATUS_CANCELLED");
  stage.story.tell("stripe", "a request that was held up on its way makes the PaymentIntent late");
  const late = await stage.atSandbox<{ id: string }>("/_/payments", {
    amount: 4900,
    currency: "eur",
    metadata: { order_id: order.id, payment_id: payment.id },
  });
  await stage.atSandbox(`/_/pay/${late.id}`, { payment_method: "pm_card_visa" });
  await stage.mails("is cancelled", "is returned");
  await stage.becomes("ORDER_STATUS_CANCELLED");
  await stage.ledger();
}

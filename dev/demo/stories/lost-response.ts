// Stripe takes the money and its answers are lost: the order stays PENDING, is found to be PAID, and is charged once.
import type { Stage } from "../stage.ts";

export async function tellLostResponse(stage: Stage): Promise<void> {
  stage.story.tell("stripe", "from now on its answers are lost, and its webhook too");
  // The SDK repeats a cut connection by itself: three answers are one call of ours.
  const stripe = { provider: "stripe", count: 3 };
  await stage.atSandbox("/_/faults", {
    ...stripe,
    fault: "execute_then_drop",
    operation: "payment_intents.create",
  });
  await stage.atSandbox("/_/faults", {
    provider: "stripe",
    fault: "webhook_drop",
    event: "payment_intent.*",
    count: 2,
  });
  await stage.order("pm_card_visa");
  await stage.ledger();
  await stage.becomes("ORDER_STATUS_PAID");
  await stage.mails("Your order", "Payment received");
  await stage.ledger();
}

// A bank that wants to see its customer (3-D Secure): the order waits until the customer has passed.
import type { Stage } from "../stage.ts";

export async function tellThreeDSecure(stage: Stage): Promise<void> {
  await stage.order("pm_card_threeDSecure2Required");
  await stage.until(
    "the payment did not ask for 3-D Secure",
    ({ payment }) => payment.status === "PAYMENT_STATUS_REQUIRES_ACTION",
  );
  const [intent] = await stage.ledger();
  if (intent === undefined) throw new Error("Stripe has no PaymentIntent of this order");
  stage.story.tell("browser", "the customer passes 3-D Secure (a person can: the sandbox's page)");
  await stage.atSandbox(`/_/3ds/${intent.id}/succeed`, {});
  await stage.becomes("ORDER_STATUS_PAID");
  await stage.mails("Your order", "Payment received");
}

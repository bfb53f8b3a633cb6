// An order that is paid.
import type { Stage } from "../stage.ts";

export async function tellPaid(stage: Stage): Promise<void> {
  await stage.order("pm_card_visa");
  await stage.becomes("ORDER_STATUS_PAID");
  await stage.mails("Your order", "Payment received");
}

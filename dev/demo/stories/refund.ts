// Part of a paid order's money is given back, then the rest; the same request twice is one refund.
import { randomUUID } from "node:crypto";
import type { Stage } from "../stage.ts";

const A_PART = { currencyCode: "EUR", minorUnits: "1900" };

export async function tellRefund(stage: Stage): Promise<void> {
  await stage.order("pm_card_visa");
  const { payment } = await stage.becomes("ORDER_STATUS_PAID");
  const part = {
    requestId: randomUUID(),
    amount: A_PART,
    reason: "REFUND_REASON_REQUESTED_BY_CUSTOMER",
  };
  await refund(stage, payment.id, part);
  stage.story.tell("operator", "the same request again, as after a lost answer:");
  await refund(stage, payment.id, part);
  await stage.mails("Refund for");
  await refund(stage, payment.id, {
    requestId: randomUUID(),
    reason: "REFUND_REASON_REQUESTED_BY_CUSTOMER",
  });
  await stage.until(
    "the two refunds did not succeed",
    ({ payment: { refunds = [] } }) =>
      refunds.length === 2 && refunds.every(({ status }) => status === "REFUND_STATUS_SUCCEEDED"),
  );
  await stage.ledger();
}

async function refund(stage: Stage, paymentId: string, body: object): Promise<void> {
  stage.story.tell("operator", `POST /v1/payments/…:refund ${JSON.stringify(body)}`);
  const answer = await stage.operate<{ refund: { id: string; status: string } }>(
    `/v1/payments/${paymentId}:refund`,
    body,
  );
  stage.story.tell("payment", `refund ${answer.refund.id} is ${answer.refund.status}`);
}

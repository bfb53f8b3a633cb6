// Disputes through the real Stripe SDK.
import { expect, it } from "vitest";
import { errorOf, openSandbox } from "../with-sandbox.ts";

const paid = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  payment_method: "pm_card_visa",
  confirm: true,
} as const;

type Sandbox = Awaited<ReturnType<typeof openSandbox>>;

async function eventsOf(sandbox: Sandbox): Promise<string[]> {
  const { data } = await sandbox.stripe.events.list({ types: ["charge.dispute.*"] });
  return data.map(({ type }) => type.replace("charge.dispute.", "")).toReversed();
}

async function disputed(sandbox: Sandbox, body: Record<string, unknown> = {}) {
  const payment = await sandbox.stripe.paymentIntents.create(paid);
  await sandbox.post("/_/disputes", { payment_intent: payment.id, ...body });
  const { data } = await sandbox.stripe.disputes.list({ payment_intent: payment.id });
  return { payment, id: data[0]?.id ?? "" };
}

it("opened by the customer takes the money, and nothing can be refunded meanwhile", async () => {
  await using sandbox = await openSandbox();
  const { payment, id } = await disputed(sandbox, { reason: "product_not_received" });

  const refund = await errorOf(sandbox.stripe.refunds.create({ payment_intent: payment.id }));

  expect(await sandbox.stripe.disputes.retrieve(id)).toMatchObject({
    status: "needs_response",
    reason: "product_not_received",
    amount: 1999,
    is_charge_refundable: false,
    balance_transactions: [{ amount: -1999, type: "adjustment" }],
  });
  expect(refund.code).toBe("charge_disputed");
  expect(await eventsOf(sandbox)).toEqual(["created", "funds_withdrawn"]);
  expect(await sandbox.get("/_/payments")).toMatchObject({
    payments: [{ status: "succeeded", withdrawn: 1999, net: 0, disputes: [{ id }] }],
  });
});

it.each([
  ["win", "won", ["closed", "funds_reinstated"], 1999],
  ["lose", "lost", ["closed"], 0],
])("is decided by the bank: %s", async (move, status, events, net) => {
  await using sandbox = await openSandbox();
  const { id } = await disputed(sandbox);
  await sandbox.post(`/_/disputes/${id}/review`);

  await sandbox.post(`/_/disputes/${id}/${move}`);
  const again = await sandbox.post(`/_/disputes/${id}/${move}`);

  expect(again.status).toBe(400);
  expect((await sandbox.stripe.disputes.retrieve(id)).status).toBe(status);
  expect(await eventsOf(sandbox)).toEqual(["created", "funds_withdrawn", "updated", ...events]);
  expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ net }] });
});

it("as an inquiry moves no money until it is escalated", async () => {
  await using sandbox = await openSandbox();
  const closed = await disputed(sandbox, { inquiry: true });
  const escalated = await disputed(sandbox, { inquiry: true });
  await sandbox.post(`/_/disputes/${closed.id}/review`);

  await sandbox.post(`/_/disputes/${closed.id}/close_inquiry`);
  await sandbox.post(`/_/disputes/${escalated.id}/escalate`);

  expect((await sandbox.stripe.disputes.retrieve(closed.id)).status).toBe("warning_closed");
  expect(await sandbox.get("/_/payments")).toMatchObject({
    payments: [
      { withdrawn: 0, disputes: [{ status: "warning_closed" }] },
      { withdrawn: 1999, disputes: [{ status: "needs_response" }] },
    ],
  });
});

it("comes by itself with the cards that are made for it", async () => {
  await using sandbox = await openSandbox();

  await sandbox.stripe.paymentIntents.create({ ...paid, payment_method: "pm_card_createDispute" });
  await sandbox.stripe.paymentIntents.create({
    ...paid,
    payment_method: "pm_card_createDisputeInquiry",
  });

  const { data } = await sandbox.stripe.disputes.list();
  expect(data.map(({ status }) => status)).toEqual(["warning_needs_response", "needs_response"]);
  const { data: charges } = await sandbox.stripe.charges.list();
  expect(charges).toMatchObject([{ disputed: true, paid: true }, { disputed: true }]);
});

it("is answered with evidence, which decides it in test mode, or is given up", async () => {
  await using sandbox = await openSandbox();
  const answered = await disputed(sandbox);
  const givenUp = await disputed(sandbox);

  const won = await sandbox.stripe.disputes.update(answered.id, {
    evidence: { uncategorized_text: "winning_evidence" },
  });
  const lost = await sandbox.stripe.disputes.close(givenUp.id);

  expect(won).toMatchObject({ status: "won", evidence_details: { submission_count: 1 } });
  expect(lost.status).toBe("lost");
});

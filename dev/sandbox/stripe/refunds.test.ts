// Refunds through the real Stripe SDK.
import { Stripe } from "stripe";
import { expect, it, vi } from "vitest";
import { LIMIT } from "../patience.ts";
import { errorOf, openSandbox } from "../with-sandbox.ts";

const paid = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  payment_method: "pm_card_visa",
  confirm: true,
} as const;

type Sandbox = Awaited<ReturnType<typeof openSandbox>>;

async function eventsOf(sandbox: Sandbox, types: string[]): Promise<string[]> {
  const { data } = await sandbox.stripe.events.list({ types });
  return data.map(({ type }) => type).toReversed();
}

it("gives all back at once, and the ledger shows it", async () => {
  await using sandbox = await openSandbox();
  const payment = await sandbox.stripe.paymentIntents.create(paid);

  const refund = await sandbox.stripe.refunds.create({
    payment_intent: payment.id,
    reason: "requested_by_customer",
    metadata: { refund_id: "r-1" },
  });

  expect(refund).toMatchObject({
    status: "succeeded",
    amount: 1999,
    payment_intent: payment.id,
    charge: payment.latest_charge,
    metadata: { refund_id: "r-1" },
  });
  const { latest_charge } = await sandbox.stripe.paymentIntents.retrieve(payment.id, {
    expand: ["latest_charge"],
  });
  expect(latest_charge).toMatchObject({ amount_refunded: 1999, refunded: true });
  expect(await sandbox.get("/_/payments")).toMatchObject({
    payments: [{ status: "succeeded", charged: 1999, refunded: 1999, net: 0, charges: 1 }],
  });
  expect(await eventsOf(sandbox, ["refund.*", "charge.refunded"])).toEqual([
    "refund.created",
    "charge.refunded",
  ]);
});

it("gives parts back until nothing is left, and never more", async () => {
  await using sandbox = await openSandbox();
  const { id: payment_intent } = await sandbox.stripe.paymentIntents.create(paid);
  await sandbox.stripe.refunds.create({ payment_intent, amount: 500 });
  await sandbox.stripe.refunds.create({ payment_intent, amount: 499 });

  const tooMuch = await errorOf(sandbox.stripe.refunds.create({ payment_intent, amount: 1001 }));
  const rest = await sandbox.stripe.refunds.create({ payment_intent });
  const again = await errorOf(sandbox.stripe.refunds.create({ payment_intent }));

  expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
  expect(tooMuch.message).toContain("greater than unrefunded amount on charge (1000 EUR)");
  expect(rest.amount).toBe(1000);
  expect(again).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
  expect(again.code).toBe("charge_already_refunded");
  const { data } = await sandbox.stripe.refunds.list({ payment_intent });
  expect(data.map(({ amount }) => amount)).toEqual([1000, 499, 500]);
});

it("repeated under its key is one refund, and a refusal is repeated too", async () => {
  await using sandbox = await openSandbox();
  const { id: payment_intent } = await sandbox.stripe.paymentIntents.create(paid);
  const key = { idempotencyKey: "re_1" };
  const refuse = () =>
    sandbox.stripe.refunds.create({ payment_intent }, { idempotencyKey: "re_2" });

  const first = await sandbox.stripe.refunds.create({ payment_intent }, key);
  const second = await sandbox.stripe.refunds.create({ payment_intent }, key);
  await errorOf(refuse());
  await sandbox.post(`/_/refunds/${first.id}/fail`);

  expect(second.id).toBe(first.id);
  expect((await errorOf(refuse())).code).toBe("charge_already_refunded");
  expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ refunded: 0 }] });
});

it("is refused for what took no money", async () => {
  await using sandbox = await openSandbox();
  const declined = { ...paid, payment_method: "pm_card_chargeDeclined" };
  const { payment_intent: refused } = await errorOf(sandbox.stripe.paymentIntents.create(declined));
  const waiting = await sandbox.stripe.paymentIntents.create({ amount: 1, currency: "eur" });

  for (const payment_intent of [refused?.id ?? "", waiting.id]) {
    const error = await errorOf(sandbox.stripe.refunds.create({ payment_intent }));
    expect(error.message).toContain("does not have a successful charge to refund");
  }
  const unknown = await errorOf(sandbox.stripe.refunds.create({ payment_intent: "pi_none" }));
  expect(unknown).toMatchObject({ statusCode: 404, code: "resource_missing" });
});

it.each([
  ["pm_card_pendingRefund", "pending", "succeeded", ["refund.updated"]],
  ["pm_card_refundFail", "succeeded", "failed", ["refund.updated", "refund.failed"]],
])("of %s is %s at first and %s by itself later", async (method, at_first, later, events) => {
  await using sandbox = await openSandbox();
  const payment = await sandbox.stripe.paymentIntents.create({ ...paid, payment_method: method });
  const refund = await sandbox.stripe.refunds.create({ payment_intent: payment.id });
  expect(refund.status).toBe(at_first);

  await vi.waitFor(async () => {
    expect((await sandbox.stripe.refunds.retrieve(refund.id)).status).toBe(later);
  }, LIMIT);

  expect(await eventsOf(sandbox, ["refund.updated", "refund.failed"])).toEqual(events);
});

it("that fails says why, and leaves the money to be refunded again", async () => {
  await using sandbox = await openSandbox();
  const { id: payment_intent } = await sandbox.stripe.paymentIntents.create(paid);
  const { id } = await sandbox.stripe.refunds.create({ payment_intent });

  await sandbox.post(`/_/refunds/${id}/fail`, { failure_reason: "lost_or_stolen_card" });
  const twice = await sandbox.post(`/_/refunds/${id}/fail`);

  expect(twice.status).toBe(400);
  expect(await sandbox.stripe.refunds.retrieve(id)).toMatchObject({
    status: "failed",
    failure_reason: "lost_or_stolen_card",
  });
  expect((await sandbox.stripe.refunds.create({ payment_intent })).amount).toBe(1999);
});

it("can be made at Stripe's dashboard, and be cancelled there while it is pending", async () => {
  await using sandbox = await openSandbox();
  const { id: payment_intent } = await sandbox.stripe.paymentIntents.create(paid);

  const made = await sandbox.post("/_/refunds", { payment_intent, amount: 5, status: "pending" });
  const { id } = made.body as { id: string };
  const byApi = await errorOf(sandbox.stripe.refunds.cancel(id));
  await sandbox.post(`/_/refunds/${id}/cancel`);

  expect(byApi.statusCode).toBe(400);
  expect((await sandbox.stripe.refunds.retrieve(id)).status).toBe("canceled");
  const waiting = await sandbox.post("/_/refunds", { payment_intent, status: "requires_action" });
  const canceled = await sandbox.stripe.refunds.cancel((waiting.body as { id: string }).id);
  expect(canceled.status).toBe("canceled");
  expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ net: 1999 }] });
});

// What happens to payments outside the API, and the rarer calls of it, through the real Stripe SDK.
import { expect, it, vi } from "vitest";
import { LIMIT } from "../patience.ts";
import { errorOf, openFolder, openSandbox } from "../with-sandbox.ts";

const order = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  metadata: { order_id: "order-1", payment_id: "payment-1" },
} as const;

it.each([
  [{ amount: 1500 }, { amount: 1999, amount_received: 1500 }],
  [{ currency: "usd" }, { currency: "usd", amount_received: 1999 }],
  [
    { metadata: { payment_id: "payment-2" } },
    { metadata: { order_id: "order-1", payment_id: "payment-2" } },
  ],
  [{ metadata: { payment_id: "" } }, { metadata: { order_id: "order-1" } }],
])("a customer may pay something else than was asked for: %j", async (other, shown) => {
  await using sandbox = await openSandbox();
  const { id } = await sandbox.stripe.paymentIntents.create(order);

  await sandbox.post(`/_/pay/${id}`, { payment_method: "pm_card_visa", ...other });

  const paid = await sandbox.stripe.paymentIntents.retrieve(id);
  const { status, amount, amount_received, currency, metadata } = paid;
  const asked = { amount: 1999, amount_received: 1999, currency: "eur", metadata: order.metadata };
  expect({ status, amount, amount_received, currency, metadata }).toEqual({
    status: "succeeded",
    ...asked,
    ...shown,
  });
});

it("somebody else may use the same account", async () => {
  await using sandbox = await openSandbox();

  const made = await sandbox.post("/_/payments", {
    ...order,
    metadata: { shop: "another" },
    payment_method: "pm_card_visa",
    confirm: true,
  });

  expect(made).toMatchObject({ status: 200, body: { status: "succeeded" } });
  const { data } = await sandbox.stripe.paymentIntents.list();
  expect(data).toMatchObject([{ metadata: { shop: "another" } }]);
  expect((await sandbox.post("/_/payments", { currency: "eur" })).status).toBe(400);
});

it.each([
  ["pm_usBankAccount_success", "succeeded"],
  ["pm_usBankAccount_insufficientFunds", "requires_payment_method"],
])("a bank decides on %s by itself, and over a restart", async (payment_method, status) => {
  await using folder = await openFolder();
  const options = { dataDir: folder.path };
  let id: string;
  {
    await using before = await openSandbox(options);
    const paid = { ...order, payment_method, confirm: true };
    const payment = await before.stripe.paymentIntents.create(paid);
    expect(payment.status).toBe("processing");
    const canceled = await errorOf(before.stripe.paymentIntents.cancel(payment.id));
    expect(canceled.payment_intent?.status).toBe("processing");
    ({ id } = payment);
  }

  await using sandbox = await openSandbox(options);

  await vi.waitFor(async () => {
    expect((await sandbox.stripe.paymentIntents.retrieve(id)).status).toBe(status);
  }, LIMIT);
});

it("money that was reserved is captured, wholly or in part, or set free", async () => {
  await using sandbox = await openSandbox();
  const reserved = { ...order, payment_method: "pm_card_visa", confirm: true } as const;
  const reserve = () =>
    sandbox.stripe.paymentIntents.create({ ...reserved, capture_method: "manual" });
  const [part, free] = [await reserve(), await reserve()];
  expect(part).toMatchObject({ status: "requires_capture", amount_capturable: 1999 });
  const tooEarly = await errorOf(sandbox.stripe.refunds.create({ payment_intent: part.id }));

  const taken = await sandbox.stripe.paymentIntents.capture(part.id, { amount_to_capture: 1000 });
  await sandbox.stripe.paymentIntents.cancel(free.id);
  const again = await errorOf(sandbox.stripe.paymentIntents.capture(part.id));

  expect(tooEarly.message).toContain("does not have a successful charge");
  expect(taken).toMatchObject({ status: "succeeded", amount_received: 1000 });
  expect(again).toMatchObject({ code: "payment_intent_unexpected_state" });
  expect(await sandbox.get("/_/payments")).toMatchObject({
    payments: [{ charged: 1000 }, { status: "canceled", charged: 0, charges: 0 }],
  });
});

it("an amount may change until it is paid, metadata always", async () => {
  await using sandbox = await openSandbox();
  const { id } = await sandbox.stripe.paymentIntents.create(order);

  await sandbox.stripe.paymentIntents.update(id, { amount: 2500, metadata: { order_id: "" } });
  await sandbox.stripe.paymentIntents.confirm(id, { payment_method: "pm_card_visa" });
  const amount = await errorOf(sandbox.stripe.paymentIntents.update(id, { amount: 1 }));
  const payment = await sandbox.stripe.paymentIntents.update(id, { metadata: { note: "n" } });

  expect(amount).toMatchObject({ statusCode: 400, code: "payment_intent_unexpected_state" });
  expect(amount.payment_intent?.status).toBe("succeeded");
  expect(payment).toMatchObject({ amount: 2500, amount_received: 2500 });
  expect(payment.metadata).toEqual({ payment_id: "payment-1", note: "n" });
});

it.each(["succeeded", "canceled"])("a payment that is %s is confirmed no more", async (status) => {
  await using sandbox = await openSandbox();
  const { id } = await sandbox.stripe.paymentIntents.create(order);
  const confirm = () =>
    sandbox.stripe.paymentIntents.confirm(
      id,
      { payment_method: "pm_card_visa" },
      { idempotencyKey: "pa_2" },
    );
  if (status === "canceled") await sandbox.stripe.paymentIntents.cancel(id);
  else await sandbox.post(`/_/pay/${id}`, { payment_method: "pm_card_visa" });

  const refused = await errorOf(confirm());
  const again = await errorOf(confirm());

  expect(refused).toMatchObject({ statusCode: 400, code: "payment_intent_unexpected_state" });
  expect(refused.payment_intent?.status).toBe(status);
  expect(again.headers?.["idempotent-replayed"]).toBe("true");
});

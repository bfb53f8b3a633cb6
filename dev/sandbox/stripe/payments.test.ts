// Payments through the real Stripe SDK.
import { Stripe } from "stripe";
import { describe, expect, it } from "vitest";
import { errorOf, openSandbox } from "../with-sandbox.ts";

const order = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  metadata: { order_id: "order-1" },
} as const;
const paid = { ...order, payment_method: "pm_card_visa", confirm: true } as const;

describe("a payment", () => {
  it("without a payment method waits for one and gives its secret to the customer", async () => {
    await using sandbox = await openSandbox();

    const payment = await sandbox.stripe.paymentIntents.create(order);

    expect(payment.status).toBe("requires_payment_method");
    expect(payment.client_secret).toMatch(new RegExp(`^${payment.id}_secret_`));
    expect(payment.metadata).toEqual({ order_id: "order-1" });
    expect(await sandbox.stripe.paymentIntents.retrieve(payment.id)).toMatchObject(payment);
  });

  it("with a good card succeeds with one charge", async () => {
    await using sandbox = await openSandbox();

    const payment = await sandbox.stripe.paymentIntents.create(paid);

    expect(payment).toMatchObject({ status: "succeeded", amount_received: 1999 });
    const { data } = await sandbox.stripe.charges.list({ payment_intent: payment.id });
    const charge = await sandbox.stripe.charges.retrieve(data[0]?.id ?? "");
    expect(charge).toMatchObject({
      id: payment.latest_charge,
      paid: true,
      payment_intent: payment.id,
    });
    expect(await sandbox.get("/_/payments")).toEqual({
      payments: [
        {
          id: payment.id,
          status: "succeeded",
          amount: 1999,
          currency: "eur",
          metadata: { order_id: "order-1" },
          charges: 1,
          charged: 1999,
          refunded: 0,
          withdrawn: 0,
          net: 1999,
          refunds: [],
          disputes: [],
        },
      ],
    });
  });

  it.each([
    ["pm_card_chargeDeclined", "generic_decline"],
    ["pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"],
  ])("with %s is refused and may be paid again", async (payment_method, declineCode) => {
    await using sandbox = await openSandbox();

    const error = await errorOf(sandbox.stripe.paymentIntents.create({ ...paid, payment_method }));

    expect(error).toBeInstanceOf(Stripe.errors.StripeCardError);
    expect(error).toMatchObject({
      statusCode: 402,
      code: "card_declined",
      decline_code: declineCode,
    });
    const refused = error.payment_intent;
    expect(refused).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code: "card_declined", decline_code: declineCode },
    });
    const again = await sandbox.stripe.paymentIntents.confirm(refused?.id ?? "", {
      payment_method: "pm_card_visa",
    });
    expect(again).toMatchObject({ status: "succeeded", last_payment_error: null });
    expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ charges: 1 }] });
  });

  it("with a card that asks for 3-D Secure succeeds once the customer has passed it", async () => {
    await using sandbox = await openSandbox();
    const asked = { ...paid, payment_method: "pm_card_threeDSecure2Required" };
    const payment = await sandbox.stripe.paymentIntents.create({
      ...asked,
      return_url: "https://shop.example/done",
    });
    expect(payment).toMatchObject({
      status: "requires_action",
      next_action: {
        type: "redirect_to_url",
        redirect_to_url: { url: `${sandbox.url}/_/3ds/${payment.id}` },
      },
    });

    const passed = await sandbox.post(`/_/3ds/${payment.id}/succeed`);

    expect(passed).toMatchObject({ status: 200, body: { status: "succeeded", next_action: null } });
  });

  it("whose customer fails 3-D Secure waits for another payment method", async () => {
    await using sandbox = await openSandbox();
    const asked = { ...paid, payment_method: "pm_card_threeDSecure2Required" };
    const payment = await sandbox.stripe.paymentIntents.create(asked);

    await sandbox.post(`/_/3ds/${payment.id}/fail`);

    expect(await sandbox.stripe.paymentIntents.retrieve(payment.id)).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code: "payment_intent_authentication_failure" },
      latest_charge: null,
    });
  });

  it("by bank debit is processing until the bank decides", async () => {
    await using sandbox = await openSandbox();
    const debit = { ...paid, payment_method: "pm_usBankAccount_processing" };
    const payment = await sandbox.stripe.paymentIntents.create(debit);
    expect(payment.status).toBe("processing");

    await sandbox.post(`/_/3ds/${payment.id}/succeed`);

    expect((await sandbox.stripe.paymentIntents.retrieve(payment.id)).status).toBe("succeeded");
  });

  it("can be paid as the customer's browser would", async () => {
    await using sandbox = await openSandbox();
    const payment = await sandbox.stripe.paymentIntents.create(order);

    const declined = await sandbox.post(`/_/pay/${payment.id}`, {
      payment_method: "pm_card_chargeDeclined",
    });
    const succeeded = await sandbox.post(`/_/pay/${payment.id}`, {
      payment_method: "pm_card_visa",
    });

    expect(declined.status).toBe(402);
    expect(succeeded).toMatchObject({ status: 200, body: { status: "succeeded" } });
  });

  it("can be cancelled until it has succeeded", async () => {
    await using sandbox = await openSandbox();
    const waiting = await sandbox.stripe.paymentIntents.create(order);
    const succeeded = await sandbox.stripe.paymentIntents.create(paid);

    const canceled = await sandbox.stripe.paymentIntents.cancel(waiting.id, {
      cancellation_reason: "abandoned",
    });
    const error = await errorOf(sandbox.stripe.paymentIntents.cancel(succeeded.id));

    expect(canceled).toMatchObject({ status: "canceled", cancellation_reason: "abandoned" });
    expect(error).toMatchObject({ statusCode: 400, code: "payment_intent_unexpected_state" });
    expect(error.payment_intent?.status).toBe("succeeded");
  });
});

describe("a request that Stripe refuses", () => {
  it.each([
    ["an unknown payment method", { ...paid, payment_method: "pm_unknown" }, "resource_missing"],
    ["no amount", { ...order, amount: Number.NaN }, "parameter_invalid_integer"],
    ["an amount of nothing", { ...order, amount: 0 }, "parameter_invalid_integer"],
    ["a currency that is none", { ...order, currency: "zzz" }, "parameter_invalid"],
    [
      "a parameter that the sandbox does not know",
      { ...order, customer: "cus_1" },
      "parameter_unknown",
    ],
    [
      "a confirmation without a method",
      { ...order, confirm: true },
      "payment_intent_unexpected_state",
    ],
    [
      "a confirmation that may redirect without a return URL",
      { ...paid, automatic_payment_methods: { enabled: true } },
      "parameter_missing",
    ],
  ])("for %s stores nothing", async (_why, parameters, code) => {
    await using sandbox = await openSandbox();

    const error = await errorOf(sandbox.stripe.paymentIntents.create(parameters));

    expect(error).toMatchObject({ statusCode: 400, code });
    expect(await sandbox.get("/_/payments")).toEqual({ payments: [] });
  });

  it("for a live key is not authenticated", async () => {
    await using sandbox = await openSandbox();

    const error = await errorOf(sandbox.strangerStripe.paymentIntents.create(order));

    expect(error).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
  });

  it("for a payment that does not exist says so", async () => {
    await using sandbox = await openSandbox();

    const error = await errorOf(sandbox.stripe.paymentIntents.retrieve("pi_none"));

    expect(error).toMatchObject({ statusCode: 404, code: "resource_missing" });
  });
});

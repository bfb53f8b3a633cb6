// Stripe's idempotency keys and lost answers, through the real SDK.
import { Stripe } from "stripe";
import { expect, it } from "vitest";
import { openSandbox } from "../with-sandbox.ts";

const paid = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  payment_method: "pm_card_visa",
  confirm: true,
} as const;
const key = { idempotencyKey: "pa_1" };
const DAY_MS = 24 * 60 * 60 * 1000;

it("a repeated request gets the first answer and charges once", async () => {
  await using sandbox = await openSandbox();

  const first = await sandbox.stripe.paymentIntents.create(paid, key);
  const second = await sandbox.stripe.paymentIntents.create(paid, key);

  expect(second.id).toBe(first.id);
  expect(first.lastResponse.headers["idempotent-replayed"]).toBeUndefined();
  expect(second.lastResponse.headers["idempotent-replayed"]).toBe("true");
  expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ charges: 1 }] });
});

it("a repeated decline is the same decline", async () => {
  await using sandbox = await openSandbox();
  const declined = { ...paid, payment_method: "pm_card_chargeDeclined" };

  const first = await sandbox.stripe.paymentIntents
    .create(declined, key)
    .catch((error: unknown) => error);
  const second = await sandbox.stripe.paymentIntents
    .create(declined, key)
    .catch((error: unknown) => error);

  const [one, two] = [first, second] as Stripe.errors.StripeCardError[];
  expect(two?.payment_intent?.id).toBe(one?.payment_intent?.id);
  expect(two?.headers?.["idempotent-replayed"]).toBe("true");
});

it("a key with other parameters is refused", async () => {
  await using sandbox = await openSandbox();
  await sandbox.stripe.paymentIntents.create(paid, key);

  const changed = sandbox.stripe.paymentIntents.create({ ...paid, amount: 2000 }, key);

  await expect(changed).rejects.toThrow(Stripe.errors.StripeIdempotencyError);
});

it("a refused request leaves its key free", async () => {
  await using sandbox = await openSandbox();
  await expect(
    sandbox.stripe.paymentIntents.create({ ...paid, payment_method: "pm_unknown" }, key),
  ).rejects.toThrow("No such PaymentMethod");

  expect(await sandbox.stripe.paymentIntents.create(paid, key)).toMatchObject({
    status: "succeeded",
  });
});

it("a key is in use while its request runs", async () => {
  await using sandbox = await openSandbox();
  await sandbox.post("/_/faults", { provider: "stripe", fault: "latency", latencyMs: 100 });

  const answers = await Promise.allSettled([
    sandbox.stripe.paymentIntents.create(paid, key),
    sandbox.stripe.paymentIntents.create(paid, key),
  ]);

  const refused = answers.flatMap((answer) =>
    answer.status === "rejected" ? [answer.reason as unknown] : [],
  );
  expect(refused).toMatchObject([{ statusCode: 409, code: "idempotency_key_in_use" }]);
  expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ charges: 1 }] });
});

it("a key is forgotten after 24 hours", async () => {
  let now = Date.now();
  await using sandbox = await openSandbox({ clock: () => now });
  const first = await sandbox.stripe.paymentIntents.create(paid, key);

  now += DAY_MS - 1;
  const before = await sandbox.stripe.paymentIntents.create(paid, key);
  now += 1;
  const after = await sandbox.stripe.paymentIntents.create(paid, key);

  expect(before.id).toBe(first.id);
  expect(after.id).not.toBe(first.id);
});

it("an answer lost after the charge is found again by repeating the request", async () => {
  await using sandbox = await openSandbox();
  const fault = { provider: "stripe", fault: "execute_then_drop", path: "/v1/payment_intents" };
  await sandbox.post("/_/faults", fault);

  const payment = await sandbox.patientStripe.paymentIntents.create(paid, key);

  expect(payment).toMatchObject({ status: "succeeded" });
  expect(payment.lastResponse.headers["idempotent-replayed"]).toBe("true");
  expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ charges: 1 }] });
});

it("a request dropped on its way did nothing", async () => {
  await using sandbox = await openSandbox();
  await sandbox.post("/_/faults", { provider: "stripe", fault: "drop", count: 2 });

  await expect(sandbox.stripe.paymentIntents.create(paid, key)).rejects.toThrow(
    Stripe.errors.StripeConnectionError,
  );

  expect(await sandbox.get("/_/payments")).toEqual({ payments: [] });
});

it("a 500 after the charge is saved under the key, and the payment is found by list", async () => {
  await using sandbox = await openSandbox();
  await sandbox.post("/_/faults", { provider: "stripe", fault: "execute_then_500" });

  const call = () => sandbox.stripe.paymentIntents.create(paid, key);

  await expect(call()).rejects.toMatchObject({ statusCode: 500 });
  await expect(call()).rejects.toMatchObject({ statusCode: 500 });
  const { data } = await sandbox.stripe.paymentIntents.list();
  expect(data).toMatchObject([{ status: "succeeded" }]);
});

it("a rate limit comes before the key", async () => {
  await using sandbox = await openSandbox();
  await sandbox.post("/_/faults", { provider: "stripe", fault: "status", status: 429 });

  const call = () => sandbox.stripe.paymentIntents.create(paid, key);

  await expect(call()).rejects.toThrow(Stripe.errors.StripeRateLimitError);
  expect((await call()).status).toBe("succeeded");
});

// Faults of requests, as a test orders them, through the real SDK.
import { Stripe } from "stripe";
import { expect, it, vi } from "vitest";
import { LIMIT } from "./patience.ts";
import { errorOf, openFolder, openSandbox } from "./with-sandbox.ts";

const paid = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  payment_method: "pm_card_visa",
  confirm: true,
} as const;
const DAY_MS = 24 * 60 * 60 * 1000;

type Sandbox = Awaited<ReturnType<typeof openSandbox>>;

const order = (sandbox: Sandbox, fault: Record<string, unknown>) =>
  sandbox.post("/_/faults", { provider: "stripe", ...fault });

it("strike only the operation, the payment and the turn that they are ordered for", async () => {
  await using sandbox = await openSandbox();
  const metadata = { order_id: "order-2" };
  const payment = await sandbox.stripe.paymentIntents.create({ ...paid, metadata });
  const other = await sandbox.stripe.paymentIntents.create(paid);
  await order(sandbox, {
    fault: "status",
    status: 500,
    operation: "refunds.create",
    metadata,
    nth: 2,
  });
  const refund = ({ id }: Stripe.PaymentIntent) =>
    sandbox.stripe.refunds.create({ payment_intent: id, amount: 1 });

  await refund(other);
  await refund(payment);
  await refund(other);
  expect((await errorOf(refund(payment))).statusCode).toBe(500);
  await refund(payment);

  expect(await sandbox.get("/_/payments?order_id=order-2")).toMatchObject({
    payments: [{ refunded: 2 }],
  });
});

it("a refund whose answer was lost, or became a 500, was made once", async () => {
  await using sandbox = await openSandbox();
  const { id: payment_intent } = await sandbox.stripe.paymentIntents.create(paid);
  const operation = "refunds.create";
  await order(sandbox, { fault: "execute_then_drop", operation });
  const lost = sandbox.patientStripe.refunds.create(
    { payment_intent, amount: 5 },
    { idempotencyKey: "re_1" },
  );
  expect((await lost).status).toBe("succeeded");

  await order(sandbox, { fault: "execute_then_500", operation });
  const params = { payment_intent, amount: 7 };
  const broken = () => sandbox.stripe.refunds.create(params, { idempotencyKey: "re_2" });
  await expect(broken()).rejects.toMatchObject({ statusCode: 500 });
  await expect(broken()).rejects.toMatchObject({ statusCode: 500 });

  const { data } = await sandbox.stripe.refunds.list({ payment_intent });
  expect(data.map(({ amount }) => amount)).toEqual([7, 5]);
});

it("a call that was carried out and not answered yet holds its key", async () => {
  await using sandbox = await openSandbox();
  await order(sandbox, { fault: "execute_then_wait", latencyMs: 500 });
  const key = { idempotencyKey: "pa_1" };

  const first = sandbox.stripe.paymentIntents.create(paid, key);
  await vi.waitFor(async () => {
    expect(await sandbox.get("/_/payments")).toMatchObject({ payments: [{ charges: 1 }] });
  }, LIMIT);
  const second = await errorOf(sandbox.stripe.paymentIntents.create(paid, key));

  expect(second).toMatchObject({ statusCode: 409, code: "idempotency_key_in_use" });
  expect((await first).status).toBe("succeeded");
  expect((await sandbox.stripe.paymentIntents.create(paid, key)).id).toBe((await first).id);
});

it.each([
  [401, Stripe.errors.StripeAuthenticationError],
  [409, Stripe.errors.StripeAPIError],
  [429, Stripe.errors.StripeRateLimitError],
  [500, Stripe.errors.StripeAPIError],
])("a status of %i comes as the SDK knows it, and did nothing", async (status, type) => {
  await using sandbox = await openSandbox();
  await order(sandbox, { fault: "status", status, operation: "payment_intents.create" });

  const error = await errorOf(sandbox.stripe.paymentIntents.create(paid));

  expect(error).toBeInstanceOf(type);
  expect(error.statusCode).toBe(status);
  expect(await sandbox.get("/_/payments")).toEqual({ payments: [] });
});

it.each([
  [{ fault: "latency" }, "needs latencyMs"],
  [{ fault: "webhook_signature" }, "needs signature"],
  [{ fault: "drop", operations: "refunds.create" }, "operations is no field"],
  [{ fault: "drop", metadata: "order-1" }, "object of texts"],
  [{ fault: "webhook_hold", provider: "twilio" }, "belongs to the provider stripe"],
  [{ fault: "drop", count: 0 }, "count must be a whole number"],
])("one that is not understood is refused: %j", async (fault, why) => {
  await using sandbox = await openSandbox();

  const answer = await order(sandbox, fault);

  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(why) } });
});

it("a moved clock makes keys old, and stays moved over a restart", async () => {
  await using folder = await openFolder();
  const create = async (sandbox: Sandbox) =>
    (await sandbox.stripe.paymentIntents.create(paid, { idempotencyKey: "pa_1" })).id;
  const ids: string[] = [];
  for (const advanceMs of [DAY_MS - 60_000, 60_000, -1]) {
    await using sandbox = await openSandbox({ dataDir: folder.path });
    ids.push(await create(sandbox));
    const { status } = await sandbox.post("/_/clock", { advanceMs });
    expect(status).toBe(advanceMs < 0 ? 400 : 200);
  }

  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});

it("one key can be forgotten alone, and stays forgotten over a restart", async () => {
  await using folder = await openFolder();
  const create = async (sandbox: Sandbox, idempotencyKey: string) =>
    (await sandbox.stripe.paymentIntents.create(paid, { idempotencyKey })).id;
  const ids: string[] = [];
  {
    await using before = await openSandbox({ dataDir: folder.path });
    ids.push(await create(before, "pa_1"), await create(before, "pa_2"));
    await fetch(`${before.url}/_/keys/pa_1`, { method: "DELETE" });
  }

  await using sandbox = await openSandbox({ dataDir: folder.path });

  expect(await create(sandbox, "pa_1")).not.toBe(ids[0]);
  expect(await create(sandbox, "pa_2")).toBe(ids[1]);
});

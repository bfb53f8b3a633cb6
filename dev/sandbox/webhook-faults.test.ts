// Webhooks that go wrong on their way, as a test orders it.
import { expect, it, vi } from "vitest";
import { LIMIT } from "./patience.ts";
import { openFolder, openReceiver, openSandbox } from "./with-sandbox.ts";

const paid = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  payment_method: "pm_card_visa",
  confirm: true,
} as const;
const succeeded = { provider: "stripe", event: "payment_intent.succeeded" };

type Sandbox = Awaited<ReturnType<typeof openSandbox>>;
type Receiver = Awaited<ReturnType<typeof openReceiver>>;

const undelivered = async (sandbox: Sandbox): Promise<string[]> => {
  const { data } = await sandbox.stripe.events.list({ delivery_success: false });
  return data.map(({ type }) => type);
};
const typesOf = ({ received }: Receiver): string[] => received.map(({ type }) => type);
const held = async (sandbox: Sandbox) => {
  const { webhooks } = (await sandbox.get("/_/webhooks?delivery=held")) as {
    webhooks: { id: string; type: string }[];
  };
  return webhooks;
};

it("one that is dropped is never sent, and the list of events tells of it", async () => {
  await using folder = await openFolder();
  await using receiver = await openReceiver();
  const options = { dataDir: folder.path, webhook: receiver.webhook };
  {
    await using sandbox = await openSandbox(options);
    await sandbox.post("/_/faults", { ...succeeded, fault: "webhook_drop" });
    await sandbox.stripe.paymentIntents.create(paid);
    await vi.waitFor(async () => expect(await undelivered(sandbox)).toHaveLength(1), LIMIT);
  }

  await using again = await openSandbox(options);
  await again.stripe.paymentIntents.create(paid);

  await vi.waitFor(
    async () => expect(await undelivered(again)).toEqual(["payment_intent.succeeded"]),
    LIMIT,
  );
  expect(receiver.received).toHaveLength(5);
});

it("those that are held are sent in the order in which they are released, over a restart too", async () => {
  await using folder = await openFolder();
  await using receiver = await openReceiver();
  const options = { dataDir: folder.path, webhook: receiver.webhook };
  {
    await using sandbox = await openSandbox(options);
    await sandbox.post("/_/faults", { provider: "stripe", fault: "webhook_hold", count: 3 });
    await sandbox.stripe.paymentIntents.create(paid);
  }
  await using sandbox = await openSandbox(options);
  const events = (await held(sandbox)).map(({ id }) => id);
  expect(events).toHaveLength(3);
  expect(receiver.received).toEqual([]);

  const [first = "", ...rest] = events.toReversed();
  await sandbox.post("/_/webhooks/release", { events: [first, ...rest, first] });

  await vi.waitFor(() => expect(receiver.received).toHaveLength(4), LIMIT);
  expect(receiver.received.map(({ id }) => id)).toEqual([first, ...rest, first]);
});

it("may be sent by hand, again and again, and each answer is told", async () => {
  await using receiver = await openReceiver((_event, nth) => (nth === 1 ? 500 : 200));
  await using sandbox = await openSandbox({ webhook: receiver.webhook });
  await sandbox.post("/_/faults", { provider: "stripe", fault: "webhook_hold", count: 9 });
  await sandbox.stripe.paymentIntents.create({ amount: 100, currency: "eur" });
  const [event] = (await held(sandbox)).map(({ id }) => id);

  const sent = await sandbox.post("/_/webhooks/send", { events: [event, event] });
  const forged = await sandbox.post("/_/webhooks/send", { events: [event], signature: "wrong" });

  expect(sent.body).toEqual({
    attempts: [
      { event, status: 500 },
      { event, status: 200 },
    ],
  });
  expect(forged.body).toEqual({ attempts: [{ event, status: 400 }] });
  expect(await undelivered(sandbox)).toEqual([]);
});

it("one is sent twice, one later, and two in the wrong order", async () => {
  await using receiver = await openReceiver();
  await using sandbox = await openSandbox({ webhook: receiver.webhook });
  const event = "payment_intent.created";
  const order = (fault: Record<string, unknown>) =>
    sandbox.post("/_/faults", { provider: "stripe", ...fault });
  await order({ fault: "webhook_duplicate", copies: 3, event });
  await order({ fault: "webhook_reorder", count: 2, event: "*" });

  await sandbox.stripe.paymentIntents.create(paid);

  await vi.waitFor(() => expect(receiver.received).toHaveLength(5), LIMIT);
  const types = typesOf(receiver);
  expect(types.filter((type) => type === event)).toHaveLength(3);
  expect(types.filter((type) => type !== event)).toEqual([
    "payment_intent.succeeded",
    "charge.succeeded",
  ]);

  await order({ fault: "webhook_delay", latencyMs: 300, event });
  await sandbox.stripe.paymentIntents.create(paid);
  await vi.waitFor(() => expect(receiver.received).toHaveLength(8), LIMIT);
  expect(typesOf(receiver).at(-1)).toBe(event);
});

it.each(["wrong", "missing", "old", "future"])(
  "one whose signature is %s is sent rightly when it was refused",
  async (signature) => {
    await using receiver = await openReceiver();
    await using sandbox = await openSandbox({ webhook: receiver.webhook });
    await sandbox.post("/_/faults", { ...succeeded, fault: "webhook_signature", signature });

    await sandbox.stripe.paymentIntents.create(paid);

    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), LIMIT);
    expect(receiver.refused).toHaveLength(1);
  },
);

it("strike only those of the payment that they are ordered for", async () => {
  await using receiver = await openReceiver();
  await using sandbox = await openSandbox({ webhook: receiver.webhook });
  const metadata = { order_id: "order-2" };
  const hold = { provider: "stripe", fault: "webhook_hold", event: "refund.*", count: 9, metadata };
  await sandbox.post("/_/faults", hold);

  for (const order_id of ["order-1", "order-2"]) {
    const payment = await sandbox.stripe.paymentIntents.create({ ...paid, metadata: { order_id } });
    await sandbox.stripe.refunds.create({ payment_intent: payment.id });
  }

  expect(await held(sandbox)).toMatchObject([{ type: "refund.created", metadata }]);
  await vi.waitFor(() => expect(receiver.received).toHaveLength(9), LIMIT);
});

// Webhooks: signed, repeated until they are taken, and not forgotten over a restart.
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

it("tell of each step of a payment, signed", async () => {
  await using receiver = await openReceiver();
  await using sandbox = await openSandbox({ webhook: receiver.webhook });

  const payment = await sandbox.stripe.paymentIntents.create(paid);

  await vi.waitFor(() => expect(receiver.received).toHaveLength(3), LIMIT);
  expect(receiver.received.map(({ type }) => type).toSorted()).toEqual([
    "charge.succeeded",
    "payment_intent.created",
    "payment_intent.succeeded",
  ]);
  const succeeded = receiver.received.find(({ type }) => type === "payment_intent.succeeded");
  expect(succeeded?.data.object).toMatchObject({ id: payment.id, status: "succeeded" });
  await vi.waitFor(async () => {
    const { data } = await sandbox.stripe.events.list({ delivery_success: false });
    expect(data).toEqual([]);
  }, LIMIT);
});

it("are repeated until the receiver answers 2xx", async () => {
  await using receiver = await openReceiver((_event, nth) => (nth < 3 ? 500 : 200));
  await using sandbox = await openSandbox({ webhook: receiver.webhook });

  await sandbox.stripe.paymentIntents.create({ amount: 100, currency: "eur" });

  await vi.waitFor(() => expect(receiver.received).toHaveLength(3), LIMIT);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
});

it("wait for a receiver that is not there, and the sandbox goes on meanwhile", async () => {
  let webhook: { url: string; secret: string };
  let port: number;
  {
    await using gone = await openReceiver();
    ({ webhook, port } = gone);
  }
  await using sandbox = await openSandbox({ webhook });
  const payments = await Promise.all(
    Array.from({ length: 50 }, () => sandbox.stripe.paymentIntents.create(paid)),
  );
  expect(payments.every(({ status }) => status === "succeeded")).toBe(true);

  await using receiver = await openReceiver(() => 200, port);

  await vi.waitFor(() => expect(receiver.received).toHaveLength(150), LIMIT);
});

it("are delivered after a restart if they were not before", async () => {
  await using folder = await openFolder();
  {
    await using before = await openSandbox({ dataDir: folder.path });
    await before.stripe.paymentIntents.create(paid);
  }
  await using receiver = await openReceiver();

  {
    await using during = await openSandbox({ dataDir: folder.path, webhook: receiver.webhook });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), LIMIT);
    await vi.waitFor(
      async () => expect(await during.get("/_/health")).toMatchObject({ undeliveredEvents: 0 }),
      LIMIT,
    );
  }
  await using after = await openSandbox({ dataDir: folder.path, webhook: receiver.webhook });

  expect(await after.get("/_/health")).toEqual({ status: "ok", undeliveredEvents: 0 });
  expect(receiver.received).toHaveLength(3);
});

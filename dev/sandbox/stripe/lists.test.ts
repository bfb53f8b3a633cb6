// Lists of payments and events through the real Stripe SDK.
import { describe, expect, it } from "vitest";
import { openSandbox } from "../with-sandbox.ts";

const order = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
} as const;

describe("lists", () => {
  it("find a payment by its time and its metadata, page by page", async () => {
    let now = 1_000_000_000;
    await using sandbox = await openSandbox({ clock: () => now * 1000 });
    for (let index = 0; index < 5; index += 1) {
      await sandbox.stripe.paymentIntents.create({ ...order, metadata: { index } });
      now += 10;
    }

    const created = { gte: 1_000_000_010, lt: 1_000_000_040 };
    const found: (string | undefined)[] = [];
    for await (const payment of sandbox.stripe.paymentIntents.list({ created, limit: 2 })) {
      found.push(payment.metadata["index"]);
    }

    expect(found).toEqual(["3", "2", "1"]);
  });

  it("of events go on from the last one seen, forward in time", async () => {
    await using sandbox = await openSandbox();
    const first = await sandbox.stripe.paymentIntents.create(order);
    const [seen] = (await sandbox.stripe.events.list({ limit: 1 })).data;
    await sandbox.stripe.paymentIntents.confirm(first.id, { payment_method: "pm_card_visa" });

    const types: string[] = [];
    const rest = sandbox.stripe.events.list({ ending_before: seen?.id ?? "", limit: 1 });
    for await (const event of rest) types.push(event.type);

    expect(types).toEqual(["charge.succeeded", "payment_intent.succeeded"]);
    const some = await sandbox.stripe.events.list({ types: ["payment_intent.succeeded"] });
    expect(some.data).toHaveLength(1);
    const undelivered = await sandbox.stripe.events.list({ delivery_success: false });
    expect(undelivered.data).toHaveLength(3);
  });
});

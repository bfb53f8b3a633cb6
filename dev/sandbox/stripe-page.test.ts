// The page on which a person plays customer, bank and dashboard, as a browser uses it.
import { expect, it } from "vitest";
import { openSandbox } from "./with-sandbox.ts";

const order = {
  amount: 1999,
  currency: "eur",
  automatic_payment_methods: { enabled: true, allow_redirects: "never" },
} as const;

type Sandbox = Awaited<ReturnType<typeof openSandbox>>;

const show = async (sandbox: Sandbox): Promise<string> =>
  (await fetch(`${sandbox.url}/_/stripe`)).text();

const press = (sandbox: Sandbox, action: string, fields: Record<string, string> = {}) =>
  fetch(`${sandbox.url}${action}`, {
    method: "POST",
    body: new URLSearchParams(fields),
    redirect: "manual",
    headers: { origin: sandbox.url },
  });

it("pays, approves, refunds and disputes by pressing buttons that it shows", async () => {
  await using sandbox = await openSandbox();
  const { id } = await sandbox.stripe.paymentIntents.create(order);
  const steps: [action: string, fields: Record<string, string>][] = [
    [`/_/pay/${id}`, { payment_method: "pm_card_threeDSecure2Required", amount: "" }],
    [`/_/3ds/${id}/succeed`, {}],
    ["/_/refunds", { payment_intent: id, amount: "500", status: "" }],
    ["/_/disputes", { payment_intent: id, amount: "99", inquiry: "" }],
  ];

  for (const [action, fields] of steps) {
    expect(await show(sandbox)).toContain(`action="${action}"`);
    const pressed = await press(sandbox, action, fields);
    expect(pressed.status).toBe(303);
  }

  expect(await sandbox.get("/_/payments")).toMatchObject({
    payments: [{ status: "succeeded", charged: 1999, refunded: 500, withdrawn: 99, net: 1400 }],
  });
  const html = await show(sandbox);
  expect(html).toContain("charge.dispute.created");
  expect(html).toContain("/fail");
});

it("orders faults and forgets them", async () => {
  await using sandbox = await openSandbox();
  const fields = { provider: "stripe", fault: "status", status: "429", count: "2", event: "" };
  await press(sandbox, "/_/faults", { ...fields, "metadata[order_id]": "order-1" });

  expect(await sandbox.get("/_/faults")).toEqual({
    faults: [
      {
        provider: "stripe",
        fault: "status",
        status: 429,
        count: 2,
        metadata: { order_id: "order-1" },
      },
    ],
  });
  await press(sandbox, "/_/faults/clear");
  expect(await sandbox.get("/_/faults")).toEqual({ faults: [] });
});

it("tells what is wrong with what was entered", async () => {
  await using sandbox = await openSandbox();
  const { id } = await sandbox.stripe.paymentIntents.create(order);

  const refused = await press(sandbox, "/_/refunds", { payment_intent: id, amount: "x" });

  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain("Invalid integer");
});

it("shows a payment's texts without running them", async () => {
  await using sandbox = await openSandbox();
  await sandbox.stripe.paymentIntents.create({ ...order, metadata: { x: "<script>1</script>" } });

  expect(await show(sandbox)).not.toContain("<script>");
});

it("cannot be used by a page of the internet", async () => {
  await using sandbox = await openSandbox();
  for (const origin of ["https://example.com", "null"]) {
    const headers = { origin };
    const answer = await fetch(`${sandbox.url}/_/faults/clear`, { method: "POST", headers });
    expect(answer.status).toBe(403);
  }
});

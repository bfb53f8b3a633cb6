// What goes wrong with payments elsewhere, by its painful name: each of these fails on the naive solution.
import { randomUUID } from "node:crypto";
import { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { RefundReason } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { ask } from "../harness/http.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  paymentOf,
  checkPayment,
  paymentBecomes,
  atSandbox,
  faultOf,
  inboxOf,
  ledgerOf,
  alarmsOf,
  withoutWebhooks,
} from "../harness/payments.ts";

const { SUCCEEDED, REVIEW } = PaymentStatus;
/** What others wait before they look at a webhook, in the hope that their own commit is quicker. */
const SLEPT_ELSEWHERE_MS = 5000;

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const initiate = async (request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

const inBrowser = (paymentIntentId: string, fields: Readonly<Record<string, unknown>> = {}) =>
  atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa", ...fields });

const waits = { paymentMethod: "" };
const declined = { paymentMethod: "pm_card_chargeDeclined" };

describe.concurrent("a webhook", () => {
  test.each([
    ["real money in a test", { livemode: true }, "livemode"],
    ["another deployment on the same account", { env: "elsewhere" }, "deployment"],
  ])(
    "of %s is ignored, and logged",
    async (_what, { livemode, env }: { livemode?: boolean; env?: string }, why) => {
      const order = anAttempt(waits);
      const { id: paymentId, paymentIntentId } = await initiate(order);
      // No request to the sandbox makes one: its money is never real, and it serves one deployment.
      const object = {
        id: paymentIntentId,
        object: "payment_intent",
        status: "succeeded",
        amount_received: 1999,
        currency: "eur",
        metadata: { payment_id: paymentId, ...(env && { env }) },
      };
      const payload = JSON.stringify({
        id: `evt_${randomUUID()}`,
        object: "event",
        type: "payment_intent.succeeded",
        livemode: livemode ?? false,
        data: { object },
      });
      const secret = room.keys.webhookSecret;
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret });
      const headers = { "stripe-signature": signature };

      const answer = await ask(`${room.url}/webhooks/stripe`, { body: payload, headers });

      expect(answer.status).toBe(204);
      expect(await inboxOf(room, paymentIntentId)).toContainEqual(
        expect.objectContaining({ status: "IGNORED", reason: expect.stringContaining(why) }),
      );
      expect(room.lines).toContainEqual(
        expect.objectContaining({ level: "warn", reason: expect.stringContaining(why) }),
      );
      expect((await checkPayment(room, order.orderId)).status).not.toBe(SUCCEEDED);
    },
  );
});

describe.concurrent("money", () => {
  test.each([
    ["of another amount", { amount: 1998 }, /1998 was taken instead of 1999/],
    ["of another currency", { currency: "usd" }, /usd was taken instead of eur/],
    ["of another payment", { metadata: { payment_id: "p2" } }, /payment "p2"/],
  ])("%s than was asked for goes to REVIEW, and operators are told", async (_what, fields, why) => {
    const order = anAttempt(waits);
    const { id, paymentIntentId } = await initiate(order);

    await inBrowser(paymentIntentId, fields);

    const payment = await paymentBecomes(room, order.orderId, "REVIEW");
    expect(payment.reviewReason).toMatch(why);
    expect(alarmsOf(room, id)).toHaveLength(1);
    const mine = await room.asOrder.checkPaymentStatus({ orderId: order.orderId });
    expect(mine.payment?.status).toBe(REVIEW);
  });

  test("of another amount can be given back: all that was taken", async () => {
    const order = anAttempt(waits);
    const { id, paymentIntentId } = await initiate(order);
    await inBrowser(paymentIntentId, { amount: 2500 });
    await paymentBecomes(room, order.orderId, "REVIEW");

    const request = { paymentId: id, requestId: randomUUID(), reason: RefundReason.DUPLICATE };
    const { refund } = await room.asOperator.refundPayment(request);

    expect(refund?.amount?.minorUnits).toBe(2500n);
    expect(await ledgerOf(room, order.orderId)).toMatchObject([{ net: 0 }]);
  });

  test.each([
    ["waits", waits, REVIEW],
    ["is paid", {}, SUCCEEDED],
  ])("of a second PaymentIntent for a payment that %s is told", async (_when, fields, status) => {
    const order = anAttempt(fields);
    const { id, paymentIntentId } = await initiate(order);

    await atSandbox(room, "payments", {
      amount: 1999,
      currency: "eur",
      payment_method: "pm_card_visa",
      confirm: "true",
      automatic_payment_methods: { enabled: "true", allow_redirects: "never" },
      metadata: { payment_id: id, order_id: order.orderId },
    });

    const payment = await eventually(async () => {
      const seen = await checkPayment(room, order.orderId);
      expect(seen.reviewReason).toContain("a second PaymentIntent");
      return seen;
    });
    expect(payment).toMatchObject({ status, paymentIntentId });
    expect(alarmsOf(room, id).length).toBeGreaterThan(0);
  });
});

test("a browser that never comes back loses no payment: the webhook alone tells it, and nobody sleeps before", async () => {
  const order = anAttempt(waits);
  const { paymentIntentId } = await initiate(order);

  await inBrowser(paymentIntentId);

  const paid = performance.now();
  await paymentBecomes(room, order.orderId, "SUCCEEDED");
  expect(performance.now() - paid).toBeLessThan(SLEPT_ELSEWHERE_MS);
});

test("a timeout after Stripe accepted charges once, and is repaired by itself", async () => {
  const orders = Array.from({ length: 10 }, () => anAttempt());
  for (const { orderId } of orders) {
    await withoutWebhooks(room, orderId);
    const lost = { operation: "payment_intents.create", fault: "execute_then_drop", count: 3 };
    await faultOf(room, orderId, lost);
  }

  await Promise.all(orders.map((order) => initiate(order)));

  for (const { orderId } of orders) {
    await paymentBecomes(room, orderId, "SUCCEEDED");
    expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1 }]);
  }
});

test("a reused idempotency key breaks no checkout: equal orders and equal attempts have keys of their own", async () => {
  const first = anAttempt(declined);
  const second = { ...anAttempt(declined), customerId: first.customerId };
  await Promise.all([initiate(first), initiate(second)]);
  await Promise.all([first, second].map((order) => initiate({ ...order, attemptNumber: 2 })));

  const paid = await Promise.all(
    [first, second].map((order) =>
      initiate({ ...order, attemptNumber: 3, paymentMethod: "pm_card_visa" }),
    ),
  );

  expect(paid.map(({ status }) => status)).toEqual([SUCCEEDED, SUCCEEDED]);
});

test("the client secret is in no table, event or log line", async () => {
  const order = anAttempt(waits);
  const { paymentIntentId } = await initiate(order);
  await inBrowser(paymentIntentId);
  await paymentBecomes(room, order.orderId, "SUCCEEDED");

  for (const table of ["payments", "payment_attempts", "refunds", "stripe_events"]) {
    const text = `select count(*)::int as n from ${table} t where row_to_json(t)::text like '%\\_secret\\_%'`;
    expect(await room.query(text)).toEqual([{ n: 0 }]);
  }
  const sent =
    "select count(*)::int as n from published where encode(payload, 'escape') like '%\\_secret\\_%'";
  expect(await room.query(sent)).toEqual([{ n: 0 }]);
  expect(JSON.stringify(room.lines)).not.toContain("_secret_");
});

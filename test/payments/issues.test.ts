// What goes wrong with payments elsewhere, by its painful name: each of these fails on the naive solution.
import { randomUUID } from "node:crypto";
import { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { RefundReason } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { ask } from "../harness/http.ts";
import {
  alarmsOf,
  anAttempt,
  atSandbox,
  checkPayment,
  faultOf,
  inboxOf,
  ledgerOf,
  openPaymentRoom,
  paymentBecomes,
  paymentOf,
  type PaymentRoom,
  publishedOf,
} from "../harness/payment-room.ts";

const { SUCCEEDED, FAILED, REVIEW, REQUIRES_ACTION } = PaymentStatus;

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const initiate = async (request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

interface Webhook {
  readonly id: string;
  readonly type: string;
  readonly payment: string;
}

/** The events of a PaymentIntent, as the sandbox has them. */
async function eventsOf(paymentIntentId: string): Promise<readonly Webhook[]> {
  const { webhooks } = await atSandbox<{ webhooks: Webhook[] }>(room, "webhooks");
  return webhooks.filter(({ payment }) => payment === paymentIntentId);
}

const hold = (orderId: string, fields = {}) =>
  faultOf(room, orderId, { fault: "webhook_hold", count: 100, ...fields });

const send = (events: readonly string[]) => atSandbox(room, "webhooks/send", { events });

const inBrowser = (paymentIntentId: string, fields: Readonly<Record<string, unknown>> = {}) =>
  atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa", ...fields });

/** Somebody with the account's key, who is not Waybill. */
const atDashboard = () => {
  const { hostname, port } = new URL(room.sandboxUrl);
  return new Stripe("sk_test_x", { host: hostname, port, protocol: "http", telemetry: false });
};

const statusesOf = async (orderId: string) =>
  (await publishedOf(room, orderId)).flatMap(({ case: name, value }) =>
    name === "paymentStatusUpdated" ? [PaymentStatus[value.status]] : [],
  );

const waits = { paymentMethod: "" };
const declined = { paymentMethod: "pm_card_chargeDeclined" };

describe.concurrent("a webhook", () => {
  test("that beats the commit finds its payment all the same", async () => {
    const order = anAttempt();
    const late = { operation: "payment_intents.create", fault: "execute_then_wait" };
    await faultOf(room, order.orderId, { ...late, latencyMs: 500 });

    const payment = await initiate(order);

    expect(payment.status).toBe(SUCCEEDED);
    await eventually(async () =>
      expect(await inboxOf(room, payment.paymentIntentId)).toContainEqual(
        expect.objectContaining({ type: "payment_intent.succeeded", status: "APPLIED" }),
      ),
    );
    expect(await statusesOf(order.orderId)).toEqual(["SUCCEEDED"]);
  });

  test("of an unknown payment is kept and tried again, and operators are told", async () => {
    const paymentId = randomUUID();
    const made = { amount: 100, currency: "eur", payment_method: "pm_card_visa", confirm: "true" };
    const { id } = await atSandbox<{ id: string }>(room, "payments", {
      ...made,
      automatic_payment_methods: { enabled: "true", allow_redirects: "never" },
      metadata: { payment_id: paymentId },
    });
    const kept = { type: "payment_intent.succeeded", status: "UNMATCHED" };
    await eventually(async () =>
      expect(await inboxOf(room, id)).toContainEqual(expect.objectContaining(kept)),
    );

    const minuteLater = `update stripe_events set tries = 5, due_time = now()
                         where payment_intent_id = $1 and type = 'payment_intent.succeeded'`;
    await eventually(async () => {
      await room.query(minuteLater, [id]);
      expect(room.lines).toContainEqual(
        expect.objectContaining({ level: "error", paymentIntentId: id }),
      );
    });
    expect(await inboxOf(room, id)).toContainEqual(expect.objectContaining(kept));
  });

  test("that comes twice, or many times at once, settles nothing twice", async () => {
    const order = anAttempt(waits);
    await faultOf(room, order.orderId, { fault: "webhook_duplicate", copies: 5, count: 10 });
    const { paymentIntentId } = await initiate(order);
    await inBrowser(paymentIntentId);
    await paymentBecomes(room, order.orderId, "SUCCEEDED");

    const events = (await eventsOf(paymentIntentId)).map(({ id }) => id);
    await send([...events, ...events]);

    await eventually(async () => {
      const inbox = await inboxOf(room, paymentIntentId);
      expect(new Set(inbox.map(({ status }) => status))).toEqual(new Set(["APPLIED", "IGNORED"]));
      expect(inbox).toHaveLength(events.length);
    });
    expect(await statusesOf(order.orderId)).toEqual(["REQUIRES_PAYMENT_METHOD", "SUCCEEDED"]);
  });

  test("that tells a failure late does not flip a paid payment", async () => {
    const order = anAttempt(declined);
    await hold(order.orderId);
    const { paymentIntentId } = await initiate(order);
    await initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" });

    const events = await eventsOf(paymentIntentId);
    await send(events.map(({ id }) => id).toReversed());

    await eventually(async () =>
      expect(await inboxOf(room, paymentIntentId)).toContainEqual(
        expect.objectContaining({
          type: "payment_intent.payment_failed",
          status: "IGNORED",
          reason: "late event ignored: already SUCCEEDED",
        }),
      ),
    );
    expect((await checkPayment(room, order.orderId)).status).toBe(SUCCEEDED);
    expect(await statusesOf(order.orderId)).toEqual(["FAILED", "PENDING_INITIATION", "SUCCEEDED"]);
  });

  test("that tells success after a failure is believed", async () => {
    const order = anAttempt(declined);
    const { status, paymentIntentId } = await initiate(order);
    expect(status).toBe(FAILED);

    await inBrowser(paymentIntentId);

    expect(await paymentBecomes(room, order.orderId, "SUCCEEDED")).toMatchObject({
      declineCode: "",
    });
  });

  test("that tells a failed 3-D Secure makes the payment FAILED, not pending for ever", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_threeDSecure2Required" });
    const { status, paymentIntentId } = await initiate(order);
    expect(status).toBe(REQUIRES_ACTION);

    await atSandbox(room, `3ds/${paymentIntentId}/fail`, {});

    await paymentBecomes(room, order.orderId, "FAILED");
  });

  test("that tells of a cancellation at Stripe reaches Order", async () => {
    const order = anAttempt(waits);
    const { paymentIntentId } = await initiate(order);

    await atDashboard().paymentIntents.cancel(paymentIntentId);

    await paymentBecomes(room, order.orderId, "CANCELLED");
    expect(await statusesOf(order.orderId)).toEqual(["REQUIRES_PAYMENT_METHOD", "CANCELLED"]);
  });

  test("of a declined attempt does not refuse the next one, whose call is under way", async () => {
    const order = anAttempt(declined);
    await hold(order.orderId, { event: "payment_intent.payment_failed" });
    const { paymentIntentId } = await initiate(order);
    const failed = (await eventsOf(paymentIntentId)).find(({ type }) => type.endsWith("failed"));
    const late = { operation: "payment_intents.confirm", fault: "latency", latencyMs: 500 };
    await faultOf(room, order.orderId, late);

    const [second] = await Promise.all([
      initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" }),
      eventually(async () => {
        expect((await checkPayment(room, order.orderId)).attemptNumber).toBe(2);
        await send([failed?.id ?? ""]);
      }),
    ]);

    expect(second.status).toBe(SUCCEEDED);
    expect(await statusesOf(order.orderId)).toEqual(["FAILED", "PENDING_INITIATION", "SUCCEEDED"]);
  });

  test("of a type that is not known is stored and ignored", async () => {
    const { paymentIntentId } = await initiate(anAttempt());

    await eventually(async () =>
      expect(await inboxOf(room, paymentIntentId)).toContainEqual(
        expect.objectContaining({ type: "payment_intent.created", status: "IGNORED" }),
      ),
    );
  });

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

test("a timeout after Stripe accepted charges once, and is repaired by itself", async () => {
  const orders = Array.from({ length: 10 }, () => anAttempt());
  for (const { orderId } of orders) {
    await hold(orderId);
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

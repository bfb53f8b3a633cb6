// What goes wrong with webhooks elsewhere, by its painful name: each of these fails on the naive solution.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
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
  withoutWebhooks,
  statusesOf,
  atDashboard,
  eventsOf,
  sendWebhooks,
} from "../harness/payments.ts";

const { SUCCEEDED, FAILED, REQUIRES_ACTION } = PaymentStatus;

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
  test("that beats the commit finds its payment all the same", async () => {
    const order = anAttempt();
    const late = { operation: "payment_intents.create", fault: "execute_then_wait" };
    await faultOf(room, order.orderId, { ...late, latencyMs: 10_000 });

    await initiate(order);

    const payment = await paymentBecomes(room, order.orderId, "SUCCEEDED");
    await eventually(async () =>
      expect(await inboxOf(room, payment.paymentIntentId)).toContainEqual(
        expect.objectContaining({ type: "payment_intent.succeeded", status: "APPLIED" }),
      ),
    );
    const told = await statusesOf(room, order.orderId);
    expect(told.filter((status) => status === "SUCCEEDED")).toHaveLength(1);
    expect(told.at(-1)).toBe("SUCCEEDED");
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

    const events = (await eventsOf(room, paymentIntentId)).map(({ id }) => id);
    await sendWebhooks(room, [...events, ...events]);

    await eventually(async () => {
      const inbox = await inboxOf(room, paymentIntentId);
      expect(new Set(inbox.map(({ status }) => status))).toEqual(new Set(["APPLIED", "IGNORED"]));
      expect(inbox).toHaveLength(events.length);
    });
    expect(await statusesOf(room, order.orderId)).toEqual(["REQUIRES_PAYMENT_METHOD", "SUCCEEDED"]);
  });

  test("that tells a failure late does not flip a paid payment", async () => {
    const order = anAttempt(declined);
    await withoutWebhooks(room, order.orderId);
    const { paymentIntentId } = await initiate(order);
    await initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" });

    const events = await eventsOf(room, paymentIntentId);
    await sendWebhooks(room, events.map(({ id }) => id).toReversed());

    await eventually(async () =>
      expect(await inboxOf(room, paymentIntentId)).toContainEqual(
        expect.objectContaining({
          type: "payment_intent.payment_failed",
          status: "IGNORED",
          reason: "late payment_failed ignored: already SUCCEEDED",
        }),
      ),
    );
    expect((await checkPayment(room, order.orderId)).status).toBe(SUCCEEDED);
    expect(await statusesOf(room, order.orderId)).toEqual([
      "FAILED",
      "PENDING_INITIATION",
      "SUCCEEDED",
    ]);
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

    await atDashboard(room).paymentIntents.cancel(paymentIntentId);

    await paymentBecomes(room, order.orderId, "CANCELLED");
    expect(await statusesOf(room, order.orderId)).toEqual(["REQUIRES_PAYMENT_METHOD", "CANCELLED"]);
  });

  test("of a declined attempt does not refuse the next one, whose call is under way", async () => {
    const order = anAttempt(declined);
    const failures = { fault: "webhook_hold", event: "payment_intent.payment_failed" };
    await faultOf(room, order.orderId, failures);
    const { paymentIntentId } = await initiate(order);
    const failed = (await eventsOf(room, paymentIntentId)).find(
      ({ type }) => type === "payment_intent.payment_failed",
    );
    const late = { operation: "payment_intents.confirm", fault: "latency", latencyMs: 500 };
    await faultOf(room, order.orderId, late);

    const [second] = await Promise.all([
      initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" }),
      eventually(async () => {
        expect((await checkPayment(room, order.orderId)).attemptNumber).toBe(2);
        await sendWebhooks(room, [failed?.id ?? ""]);
      }),
    ]);

    expect(second.status).toBe(SUCCEEDED);
    expect(await statusesOf(room, order.orderId)).toEqual([
      "FAILED",
      "PENDING_INITIATION",
      "SUCCEEDED",
    ]);
  });

  test("is not undone by the answer to an older call, which comes later", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_threeDSecure2Required" });
    const late = { operation: "payment_intents.create", fault: "execute_then_wait" };
    await faultOf(room, order.orderId, { ...late, latencyMs: 600 });
    const answer = initiate(order);
    const [made] = await eventually(async () => {
      const ledger = await ledgerOf(room, order.orderId);
      expect(ledger).toHaveLength(1);
      return ledger;
    });

    await atSandbox(room, `3ds/${made?.id ?? ""}/fail`, {});
    await paymentBecomes(room, order.orderId, "FAILED");
    await answer;

    expect((await checkPayment(room, order.orderId)).status).toBe(FAILED);
    expect((await statusesOf(room, order.orderId)).at(-1)).toBe("FAILED");
  });

  test("of a type that is not known is stored and ignored", async () => {
    const { paymentIntentId } = await initiate(anAttempt());

    await eventually(async () =>
      expect(await inboxOf(room, paymentIntentId)).toContainEqual(
        expect.objectContaining({ type: "payment_intent.created", status: "IGNORED" }),
      ),
    );
  });
});

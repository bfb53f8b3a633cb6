// What operators read in the timeline of a payment where something went wrong, and where nothing happened.
import { randomUUID } from "node:crypto";
import { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { RefundReason } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { ask } from "../harness/http.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  atSandbox,
  faultOf,
  inboxOf,
  paymentBecomes,
  paymentOf,
  withoutWebhooks,
} from "../harness/payments.ts";
import { storyOf, tells } from "../harness/story.ts";

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const initiate = async (request: ReturnType<typeof anAttempt>, at = room) =>
  paymentOf(await at.asOrder.initiatePayment(request));

const CALLS = /^payment\.(call|looked|attempt|succeeded)/;
const waits = { paymentMethod: "" };

describe.concurrent("the timeline of a payment tells", () => {
  test("that an answer was lost, when it is asked for again, and what came of it", async () => {
    const order = anAttempt();
    await withoutWebhooks(room, order.orderId);
    const lost = { operation: "payment_intents.create", fault: "execute_then_drop", count: 3 };
    await faultOf(room, order.orderId, lost);

    await initiate(order);

    const lines = await tells(room, order.orderId, CALLS, [
      "Attempt 1 to pay begins: Stripe is asked.",
      /^Attempt 1: a call to Stripe was lost; it is repeated with its key in 1 s \(answer_lost, /,
      "The payment was received.",
    ]);
    expect(lines.map(({ visibility }) => visibility)).toEqual(["OPERATOR", "OPERATOR", "PUBLIC"]);
  });

  test("that a call was answered 500, that Stripe has nothing of it, and that it was never made", async () => {
    const order = anAttempt();
    const broken = { operation: "payment_intents.create", fault: "status", status: 500 };
    await faultOf(room, order.orderId, broken);

    await initiate(order);
    await paymentBecomes(room, order.orderId, "FAILED");

    const told = await storyOf(room, order.orderId);
    const texts = told.filter(({ type }) => CALLS.test(type)).map(({ text }) => text);
    expect(texts[1]).toMatch(/it is not repeated, Stripe is asked what there is in 1 s \(server_/);
    expect(texts.slice(-2)).toEqual([
      "Attempt 1 to pay could not be made.",
      "Attempt 1: Stripe was asked what there is: nothing, and nothing can come any more.",
    ]);
  });

  test("a refusal with the bank's word for it", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_chargeDeclinedInsufficientFunds" });

    await initiate(order);

    await tells(room, order.orderId, /refused/, [
      "Attempt 1 to pay was refused (insufficient_funds).",
    ]);
  });

  test("that the customer's bank asks, and is at work", async () => {
    const [asking, working] = [
      anAttempt({ paymentMethod: "pm_card_threeDSecure2Required" }),
      anAttempt({ paymentMethod: "pm_usBankAccount_processing" }),
    ];

    await Promise.all([initiate(asking), initiate(working)]);

    const asks = "The bank asks for a confirmation of the payment.";
    await tells(room, asking.orderId, /requires_action/, [asks]);
    await tells(room, working.orderId, /processing/, ["The bank is at work on the payment."]);
  });

  test("why an operator must look", async () => {
    const order = anAttempt(waits);
    const { paymentIntentId } = await initiate(order);

    const fields = { payment_method: "pm_card_visa", amount: 1998 };
    await atSandbox(room, `pay/${paymentIntentId}`, fields);

    const [line] = await tells(room, order.orderId, /review/, [/1998 was taken instead of 1999/]);
    expect(line?.visibility).toBe("OPERATOR");
  });

  test("what a webhook changed", async () => {
    const order = anAttempt(waits);
    const { paymentIntentId } = await initiate(order);

    await atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa" });

    await tells(room, order.orderId, /webhook.applied|succeeded/, [
      "The payment was received.",
      "payment_intent.succeeded: applied",
    ]);
  });

  test.each([
    ["of real money in a test", { livemode: true }, /livemode is true/],
    ["of another deployment", { env: "elsewhere" }, /of the deployment "elsewhere"/],
  ])(
    "that an event %s was ignored",
    async (_what, { livemode = false, env }: { livemode?: boolean; env?: string }, why) => {
      const order = anAttempt(waits);
      const { id: paymentId, paymentIntentId } = await initiate(order);
      // No request to the sandbox makes one: its money is never real, and it serves one deployment.
      const metadata = { payment_id: paymentId, ...(env && { env }) };
      const object = {
        id: paymentIntentId,
        object: "payment_intent",
        status: "succeeded",
        metadata,
      };
      const event = { id: `evt_${randomUUID()}`, object: "event", livemode, data: { object } };
      const payload = JSON.stringify({ ...event, type: "payment_intent.succeeded" });
      const secret = room.keys.webhookSecret;
      const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret });
      const headers = { "stripe-signature": signature };

      await ask(`${room.url}/webhooks/stripe`, { body: payload, headers });

      const named = /^payment_intent.succeeded/;
      const lines = await eventually(async () => {
        const told = (await storyOf(room, order.orderId)).filter(({ text }) => named.test(text));
        expect(told).toHaveLength(1);
        return told;
      });
      expect(lines).toEqual([
        { type: "webhook.ignored", text: expect.stringMatching(why), visibility: "OPERATOR" },
      ]);
    },
  );

  test("of an order that is not ours that its event fits nothing, once, however often it is tried", async () => {
    const orderId = randomUUID();
    const { id } = await atSandbox<{ id: string }>(room, "payments", {
      amount: 100,
      currency: "eur",
      payment_method: "pm_card_visa",
      confirm: "true",
      automatic_payment_methods: { enabled: "true", allow_redirects: "never" },
      metadata: { order_id: orderId, payment_id: randomUUID() },
    });

    await eventually(async () => {
      const where = "payment_intent_id = $1 and type = 'payment_intent.succeeded'";
      await room.query(`update stripe_events set due_time = now() where ${where}`, [id]);
      const tried = `select 1 from stripe_events where ${where} and tries > 2`;
      expect(await room.query(tried, [id])).toHaveLength(1);
    });
    await tells(room, orderId, /./, [/^payment_intent.succeeded: no payment of ours has this/]);
    expect(await inboxOf(room, id)).toContainEqual(
      expect.objectContaining({ status: "UNMATCHED" }),
    );
  });

  test("what is given back, and that its first call was lost", async () => {
    const order = anAttempt();
    const { id: paymentId } = await initiate(order);
    await withoutWebhooks(room, order.orderId);
    const lost = { operation: "refunds.create", fault: "execute_then_drop", count: 3 };
    await faultOf(room, order.orderId, lost);

    const reason = RefundReason.DUPLICATE;
    await room.asOperator.refundPayment({ paymentId, requestId: randomUUID(), reason });

    await tells(room, order.orderId, /refund|call/, [
      "A refund of 1999 minor units of EUR is asked for (DUPLICATE).",
      /^The refund: a call to Stripe was lost; it is repeated with its key in 1 s/,
      "The refund of 1999 minor units of EUR is SUCCEEDED.",
    ]);
  });

  test("that the bank sent a refund back", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_refundFail" });
    const { id: paymentId } = await initiate(order);

    const reason = RefundReason.DUPLICATE;
    await room.asOperator.refundPayment({ paymentId, requestId: randomUUID(), reason });

    await tells(room, order.orderId, /refund.failed/, [/EUR is FAILED \(.+\)\.$/]);
  });

  test("that the customer's bank disputes it, and that it was won", async () => {
    const order = anAttempt();
    const { paymentIntentId } = await initiate(order);
    const dispute = { payment_intent: paymentIntentId };
    const { id } = await atSandbox<{ id: string }>(room, "disputes", dispute);
    await tells(room, order.orderId, /dispute/, [/^The customer's bank disputes 1999 .*: OPEN\.$/]);

    await atSandbox(room, `disputes/${id}/win`, {});

    await tells(room, order.orderId, /dispute/, [/: OPEN\.$/, /: WON\.$/]);
  });

  test("that it was given up", async () => {
    const [waiting, unborn] = [anAttempt(waits), anAttempt()];
    await initiate(waiting);

    for (const { orderId, customerId, amount } of [waiting, unborn])
      await room.asOrder.cancelPayment({ orderId, customerId, amount });

    for (const { orderId } of [waiting, unborn])
      await tells(room, orderId, /cancelled/, ["The payment was given up."]);
  });
});

test("the timeline of a payment tells what a look at Stripe found that no webhook had told, and nothing of a look that found nothing", async () => {
  await using own = await openPaymentRoom(inject("servers"), { STRIPE_FIRST_CHECK_MS: "300" });
  const order = anAttempt({ paymentMethod: "pm_card_threeDSecure2Required" });
  await faultOf(own, order.orderId, { fault: "webhook_drop", count: 100 });
  const { id, paymentIntentId } = await initiate(order, own);
  await eventually(async () => {
    const looked = "select 1 from payments where id = $1 and check_tries > 1";
    expect(await own.query(looked, [id])).toHaveLength(1);
  });

  await atSandbox(own, `3ds/${paymentIntentId}/succeed`, {});

  const found = "Stripe was asked, and told what no webhook had: REQUIRES_ACTION is SUCCEEDED.";
  await tells(own, order.orderId, /check_found/, [found]);
  await own.stop();
  await own.start();
  await eventually(async () => {
    const lines = await storyOf(own, order.orderId);
    const texts = lines.filter(({ type }) => type === "webhook.fetched").map(({ text }) => text);
    expect(texts).toContain("payment_intent.succeeded: Stripe could not deliver it: fetched");
    expect(lines.at(-1)?.type).toBe("webhook.ignored");
  });
});

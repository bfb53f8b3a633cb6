// What operators read in the timeline of a payment whose calls to Stripe are lost: each try, when the next one is, and the end.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  faultOf,
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

const initiate = async (request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

const CALLS = /^payment\.(call|looked|attempt|succeeded)/;

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

  test("each scheduled try of a lost call, and not those that others ask for", async () => {
    const order = anAttempt({ paymentMethod: "" });
    const broken = { operation: "payment_intents.create", fault: "drop", count: 1000 };
    await faultOf(room, order.orderId, broken);
    await initiate(order);
    const { orderId, customerId, amount } = order;

    for (let tries = 0; tries < 4; tries += 1)
      await expect(room.asOrder.cancelPayment({ orderId, customerId, amount })).rejects.toThrow();

    const text = `select a.tries from payment_attempts a join payments p on p.id = a.payment_id
                  where p.order_id = $1`;
    const lines = (await storyOf(room, orderId)).filter(({ type }) => type.includes("call"));
    const [attempt] = await room.query<{ tries: number }>(text, [orderId]);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(1 + (attempt?.tries ?? 0));
  });
});

// A payment is given up before money is taken, or not at all; whoever was first at Stripe was first.
import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  onBehalfOf,
  paymentOf,
  checkPayment,
  paymentBecomes,
  atSandbox,
  faultOf,
  ledgerOf,
  publishedOf,
  withoutWebhooks,
} from "../harness/payments.ts";

const { SUCCEEDED, CANCELLED, UNKNOWN } = PaymentStatus;
const RACES = 20;

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const initiate = async (request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

const cancel = async (request: Parameters<PaymentRoom["asOrder"]["cancelPayment"]>[0]) =>
  paymentOf(await room.asOrder.cancelPayment(request));

/** What an order says of itself when it gives up its payment. */
const givenUp = ({ orderId, customerId, amount }: ReturnType<typeof anAttempt>) => ({
  orderId,
  customerId,
  amount,
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );

const waits = { paymentMethod: "" };

describe.concurrent("a cancellation", () => {
  test("of a payment that waits cancels its PaymentIntent, and tells Order", async () => {
    const order = anAttempt(waits);
    await initiate(order);

    const payment = await cancel({ orderId: order.orderId, abandoned: true });

    expect(payment.status).toBe(CANCELLED);
    expect(await ledgerOf(room, order.orderId)).toMatchObject([{ status: "canceled", charges: 0 }]);
    expect((await publishedOf(room, order.orderId)).at(-1)).toMatchObject({
      case: "paymentStatusUpdated",
      value: { status: CANCELLED },
    });
    expect((await cancel({ orderId: order.orderId })).status).toBe(CANCELLED);
  });

  test("before the payment was asked for leaves nobody to be charged by a call that comes later", async () => {
    const order = anAttempt();

    const payment = await cancel(givenUp(order));

    expect(payment.status).toBe(CANCELLED);
    expect(await initiate(order)).toMatchObject({ id: payment.id, status: CANCELLED });
    expect(await codeOf(initiate({ ...order, attemptNumber: 2 }))).toBe(Code.FailedPrecondition);
    expect(await ledgerOf(room, order.orderId)).toEqual([]);
  });

  test("of what was paid is no error, and gives nothing back", async () => {
    const order = anAttempt();
    const { id } = await initiate(order);

    expect((await cancel({ paymentId: id })).status).toBe(SUCCEEDED);
    expect(await ledgerOf(room, order.orderId)).toMatchObject([{ charges: 1, refunded: 0 }]);
  });

  test("of a payment whose card was declined keeps the customer from paying it", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_chargeDeclined" });
    await initiate(order);

    expect((await cancel({ orderId: order.orderId })).status).toBe(CANCELLED);
    const again = { ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" };
    expect(await codeOf(initiate(again))).toBe(Code.FailedPrecondition);
  });

  test("of a payment of which Stripe has nothing needs no Stripe", async () => {
    const order = anAttempt({ paymentMethod: "pm_nowhere" });
    await initiate(order);

    expect((await cancel({ orderId: order.orderId })).status).toBe(CANCELLED);
  });

  test("is taken back by money that comes after all, where Stripe had nothing of it: Order has it given back", async () => {
    const order = anAttempt({ paymentMethod: "pm_nowhere" });
    const { id } = await initiate(order);
    await cancel({ orderId: order.orderId });

    const { id: intent } = await atSandbox<{ id: string }>(room, "payments", {
      amount: 1999,
      currency: "eur",
      metadata: { order_id: order.orderId, payment_id: id },
    });
    await atSandbox(room, `pay/${intent}`, { payment_method: "pm_card_visa" });

    await paymentBecomes(room, order.orderId, "SUCCEEDED");
    expect((await publishedOf(room, order.orderId)).at(-1)).toMatchObject({
      value: { status: SUCCEEDED },
    });
  });

  test("settles a lost attempt first: what was paid by it is paid", async () => {
    const order = anAttempt();
    await withoutWebhooks(room, order.orderId);
    const lost = { operation: "payment_intents.create", fault: "execute_then_drop", count: 3 };
    await faultOf(room, order.orderId, lost);
    expect((await initiate(order)).status).toBe(UNKNOWN);

    expect((await cancel({ orderId: order.orderId })).status).toBe(SUCCEEDED);
    expect(await ledgerOf(room, order.orderId)).toMatchObject([{ charges: 1 }]);
  });

  test("is UNAVAILABLE while an attempt cannot be settled, or Stripe cannot be asked", async () => {
    const [unsettled, waiting] = [anAttempt(), anAttempt(waits)];
    const away = { fault: "status", status: 500 };
    await faultOf(room, unsettled.orderId, { operation: "payment_intents.create", ...away });
    await initiate(unsettled);
    await initiate(waiting);
    await faultOf(room, waiting.orderId, { operation: "payment_intents.cancel", ...away });

    const codes = await Promise.all(
      [unsettled, waiting].map(({ orderId }) =>
        codeOf(room.asOperator.cancelPayment({ orderId }, { timeoutMs: 3000 })),
      ),
    );

    // The second try of a client that repeats what is UNAVAILABLE finds Stripe again.
    expect([Code.Unavailable, undefined]).toContain(codes[1]);
    expect(codes[0]).toBe(Code.Unavailable);
    await paymentBecomes(room, unsettled.orderId, "FAILED");
    expect((await cancel({ orderId: unsettled.orderId })).status).toBe(CANCELLED);
    expect((await cancel({ orderId: waiting.orderId })).status).toBe(CANCELLED);
  });

  test("while the bank is at work is refused", async () => {
    const order = anAttempt({ paymentMethod: "pm_usBankAccount_processing" });
    await initiate(order);

    expect(await codeOf(cancel({ orderId: order.orderId }))).toBe(Code.FailedPrecondition);
  });

  test("of nothing, and of somebody else's payment, is NOT_FOUND", async () => {
    const order = anAttempt(waits);
    const { id } = await initiate(order);
    const stranger = onBehalfOf("somebody-else");

    const codes = await Promise.all([
      codeOf(cancel({ paymentId: randomUUID() })),
      codeOf(cancel({ orderId: randomUUID() })),
      codeOf(room.asOrder.cancelPayment({ paymentId: id }, stranger)),
      codeOf(room.asOrder.cancelPayment(givenUp(order), stranger)),
    ]);

    expect(new Set(codes)).toEqual(new Set([Code.NotFound]));
    expect((await checkPayment(room, order.orderId)).status).not.toBe(CANCELLED);
  });
});

/** Either it is paid and charged once, or it is cancelled and nobody was charged: Stripe and we say the same. */
async function isOneOrTheOther(orderId: string): Promise<void> {
  const { status } = await checkPayment(room, orderId);
  const ledger = await ledgerOf(room, orderId);
  const charges = ledger.reduce((sum, entry) => sum + entry.charges, 0);
  expect([SUCCEEDED, CANCELLED]).toContain(status);
  expect(charges).toBe(status === SUCCEEDED ? 1 : 0);
}

test("cancelling races paying: one of them wins, and both sides agree which", async () => {
  const orders = Array.from({ length: RACES }, () => anAttempt(waits));
  await Promise.all(
    orders.map(async (order) => {
      const { paymentIntentId } = await initiate(order);
      const paying = atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa" });
      await Promise.allSettled([paying, cancel({ orderId: order.orderId })]);
    }),
  );

  for (const { orderId } of orders) await isOneOrTheOther(orderId);
});

test("cancelling races initiating: nobody is charged for a payment that is given up", async () => {
  const orders = Array.from({ length: RACES }, () => anAttempt());
  await Promise.all(
    orders.map(async (order) => {
      await Promise.allSettled([cancel(givenUp(order)), initiate(order)]);
      await cancel(givenUp(order));
    }),
  );

  for (const { orderId } of orders) await isOneOrTheOther(orderId);
});

test("two next attempts at once are one, and it charges once", async () => {
  const orders = Array.from({ length: RACES }, () =>
    anAttempt({ paymentMethod: "pm_card_chargeDeclined" }),
  );
  await Promise.all(orders.map((order) => initiate(order)));

  await Promise.all(
    orders.flatMap((order) => {
      const next = { ...order, attemptNumber: 2 };
      return [
        initiate({ ...next, paymentMethod: "pm_card_visa" }),
        initiate({ ...next, paymentMethod: "pm_card_mastercard" }),
      ];
    }),
  );

  for (const { orderId } of orders) {
    await paymentBecomes(room, orderId, "SUCCEEDED");
    expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1 }]);
  }
});

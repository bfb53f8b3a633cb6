// Calls to Stripe that must not be repeated, for their key protects nothing: what Stripe has settles them, or the proof that it has nothing.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  paymentOf,
  paymentBecomes,
  faultOf,
  withoutWebhooks,
  attemptsOf,
  isChargedOnce,
} from "../harness/payments.ts";

const { SUCCEEDED, UNKNOWN } = PaymentStatus;
/** Every try that the SDK makes of one call. */
const ALL_TRIES = 3;
const create = { operation: "payment_intents.create", count: ALL_TRIES };
const confirm = { operation: "payment_intents.confirm", count: 1 };
const refused = { paymentMethod: "pm_card_chargeDeclined" };

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const initiate = async (request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

describe.concurrent("a call to Stripe that is not repeated:", () => {
  describe("5xx", () => {
    test("that was executed is not repeated: the list of PaymentIntents settles it", async () => {
      const order = anAttempt();
      await withoutWebhooks(room, order.orderId);
      await faultOf(room, order.orderId, { ...create, fault: "execute_then_500", count: 1 });

      const payment = await initiate(order);

      expect(payment.status).toBe(UNKNOWN);
      expect(await attemptsOf(room, payment.id)).toMatchObject([{ status: "LOOKING" }]);
      await paymentBecomes(room, order.orderId, "SUCCEEDED");
      expect(await attemptsOf(room, payment.id)).toMatchObject([{ status: "SETTLED", due: null }]);
      await isChargedOnce(room, order.orderId);
    });

    test("that was executed is settled by its webhook", async () => {
      const order = anAttempt({ paymentMethod: "pm_card_threeDSecure2Required" });
      await faultOf(room, order.orderId, { ...create, fault: "execute_then_500", count: 1 });

      await initiate(order);

      const waiting = await paymentBecomes(room, order.orderId, "REQUIRES_ACTION");
      await eventually(async () =>
        expect(await attemptsOf(room, waiting.id)).toMatchObject([{ status: "SETTLED" }]),
      );
    });

    test("that was not executed is FAILED once that is proven, and only then may another key be used", async () => {
      const order = anAttempt();
      await faultOf(room, order.orderId, { ...create, fault: "status", status: 500, count: 1 });
      const payment = await initiate(order);
      expect(payment.status).toBe(UNKNOWN);
      const again = { ...order, attemptNumber: 2 };
      await expect(room.asOrder.initiatePayment(again)).rejects.toThrow(/not known yet/);

      const failed = await paymentBecomes(room, order.orderId, "FAILED");

      expect(failed).toMatchObject({ declineCode: "never_executed", paymentIntentId: "" });
      expect(await initiate(again)).toMatchObject({ status: SUCCEEDED, attemptNumber: 2 });
      const [one, two] = await attemptsOf(room, payment.id);
      expect(two?.key).not.toBe(one?.key);
      await isChargedOnce(room, order.orderId);
    });

    test("of a confirmation is settled by retrieving the PaymentIntent, paid or not", async () => {
      const [paid, unpaid] = [anAttempt(refused), anAttempt(refused)];
      await Promise.all([paid, unpaid].map((order) => initiate(order)));
      await Promise.all([paid, unpaid].map(({ orderId }) => withoutWebhooks(room, orderId)));
      await faultOf(room, paid.orderId, { ...confirm, fault: "execute_then_500" });
      await faultOf(room, unpaid.orderId, { ...confirm, fault: "status", status: 500 });
      const next = { attemptNumber: 2, paymentMethod: "pm_card_visa" };

      await Promise.all([paid, unpaid].map((order) => initiate({ ...order, ...next })));

      await paymentBecomes(room, paid.orderId, "SUCCEEDED");
      await paymentBecomes(room, unpaid.orderId, "FAILED");
      expect(await initiate({ ...unpaid, ...next, attemptNumber: 3 })).toMatchObject({
        status: SUCCEEDED,
      });
      await isChargedOnce(room, paid.orderId);
      await isChargedOnce(room, unpaid.orderId);
    });
  });

  test("a key that is older than 23 hours is not used again: the list of PaymentIntents settles it", async () => {
    const order = anAttempt();
    await withoutWebhooks(room, order.orderId);
    await faultOf(room, order.orderId, { ...create, fault: "execute_then_drop" });
    const payment = await initiate(order);
    const [attempt] = await attemptsOf(room, payment.id);
    const aged = `update payment_attempts set create_time = now() - interval '23 hours 1 minute'
                where payment_id = $1`;
    await room.query(aged, [payment.id]);
    await fetch(`${room.sandboxUrl}/_/keys/${attempt?.key}`, { method: "DELETE" });

    await paymentBecomes(room, order.orderId, "SUCCEEDED");

    await isChargedOnce(room, order.orderId);
  });
});

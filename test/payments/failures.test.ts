// Each row of the table of how a call to Stripe can fail has its test: what follows, and that money moves once.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openFutureStripe } from "../harness/future-stripe.ts";
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
} from "../harness/payment-room.ts";

const { SUCCEEDED, FAILED, UNKNOWN, PENDING_INITIATION } = PaymentStatus;
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

/** No webhook helps: the service must find out by itself. */
const withoutWebhooks = (orderId: string) =>
  faultOf(room, orderId, { fault: "webhook_hold", count: 100 });

async function attemptsOf(paymentId: string) {
  return await room.query<{ status: string; key: string; due: Date | null; method: string }>(
    `select status, idempotency_key as key, due_time as due, params->'params'->>'payment_method' as method
     from payment_attempts where payment_id = $1 order by attempt_number`,
    [paymentId],
  );
}

const chargedOnce = async (orderId: string) =>
  expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1, status: "succeeded" }]);

describe.concurrent("a call to Stripe that fails by", () => {
  test("timeout: it is repeated with the same key and parameters, while the first call may still be at work", async () => {
    const order = anAttempt();
    await withoutWebhooks(order.orderId);
    const late = { ...create, fault: "execute_then_wait", latencyMs: 3000, count: 1 };
    await faultOf(room, order.orderId, late);

    const payment = await initiate(order);

    // The SDK's own repetitions may have met the first one at work (409), which tells no more than that.
    expect([UNKNOWN, PENDING_INITIATION]).toContain(payment.status);
    const [lost] = await attemptsOf(payment.id);
    expect(lost?.due).toBeInstanceOf(Date);
    await paymentBecomes(room, order.orderId, "SUCCEEDED");
    expect(await attemptsOf(payment.id)).toMatchObject([{ status: "SETTLED", key: lost?.key }]);
    await chargedOnce(order.orderId);
  });

  describe.each([
    ["socket reset", { fault: "execute_then_drop" }],
    ["socket reset before it was executed", { fault: "drop" }],
  ])("%s", (_row, fault) => {
    test("is UNKNOWN, never FAILED, and is repeated with the same key and parameters", async () => {
      const order = anAttempt();
      await withoutWebhooks(order.orderId);
      await faultOf(room, order.orderId, { ...create, ...fault });

      const payment = await initiate(order);

      expect(payment).toMatchObject({ status: UNKNOWN, declineCode: "" });
      const [lost] = await attemptsOf(payment.id);
      expect(lost).toMatchObject({ status: "UNKNOWN", due: expect.any(Date) });
      await paymentBecomes(room, order.orderId, "SUCCEEDED");
      expect(await attemptsOf(payment.id)).toMatchObject([{ status: "SETTLED", key: lost?.key }]);
      await chargedOnce(order.orderId);
    });
  });

  test.each([
    ["409 key in use", 409, ALL_TRIES],
    // The SDK does not repeat it.
    ["429", 429, 1],
  ])("%s: nothing was executed, and the same key is tried later", async (_row, status, count) => {
    const order = anAttempt();
    await faultOf(room, order.orderId, { ...create, fault: "status", status, count });

    const payment = await initiate(order);

    expect(payment.status).toBe(PENDING_INITIATION);
    const [waiting] = await attemptsOf(payment.id);
    expect(waiting).toMatchObject({ status: "CREATING", due: expect.any(Date) });
    await paymentBecomes(room, order.orderId, "SUCCEEDED");
    expect(await attemptsOf(payment.id)).toMatchObject([{ status: "SETTLED", key: waiting?.key }]);
    await chargedOnce(order.orderId);
    expect(alarmsOf(room, payment.id)).toEqual([]);
  });

  test("400 idempotency_error: the attempt is parked, operators are told, and no new key is ever made", async () => {
    const order = anAttempt();
    await withoutWebhooks(order.orderId);
    await faultOf(room, order.orderId, { ...create, fault: "execute_then_drop" });
    const payment = await initiate(order);
    const drift = `update payment_attempts set params = jsonb_set(params::jsonb, '{params,amount}', '1998')::json
                 where payment_id = $1`;
    await room.query(drift, [payment.id]);

    await eventually(async () =>
      expect(await attemptsOf(payment.id)).toMatchObject([{ status: "PARKED", due: null }]),
    );

    expect(alarmsOf(room, payment.id)).toMatchObject([{ failure: "key_mismatch" }]);
    expect(await checkPayment(room, order.orderId)).toMatchObject({ status: UNKNOWN });
    await expect(
      room.asOrder.initiatePayment({ ...order, attemptNumber: 2 }),
    ).rejects.toMatchObject({
      rawMessage: expect.stringContaining("attempt 1"),
    });
    await chargedOnce(order.orderId);
  });

  test("402: the attempt is FAILED; the next one confirms the same PaymentIntent with a new method and a new key", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_chargeDeclinedInsufficientFunds" });
    const first = await initiate(order);
    expect(first).toMatchObject({ status: FAILED, declineCode: "insufficient_funds" });

    const second = await initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" });

    expect(second).toMatchObject({ status: SUCCEEDED, attemptNumber: 2, declineCode: "" });
    expect(second.paymentIntentId).toBe(first.paymentIntentId);
    const [one, two] = await attemptsOf(first.id);
    expect(two).toMatchObject({ status: "SETTLED", method: "pm_card_visa" });
    expect(two?.key).not.toBe(one?.key);
    await chargedOnce(order.orderId);
  });

  describe("5xx", () => {
    test("that was executed is not repeated: the list of PaymentIntents settles it", async () => {
      const order = anAttempt();
      await withoutWebhooks(order.orderId);
      await faultOf(room, order.orderId, { ...create, fault: "execute_then_500", count: 1 });

      const payment = await initiate(order);

      expect(payment.status).toBe(UNKNOWN);
      expect(await attemptsOf(payment.id)).toMatchObject([{ status: "LOOKING" }]);
      await paymentBecomes(room, order.orderId, "SUCCEEDED");
      expect(await attemptsOf(payment.id)).toMatchObject([{ status: "SETTLED", due: null }]);
      await chargedOnce(order.orderId);
    });

    test("that was executed is settled by its webhook", async () => {
      const order = anAttempt({ paymentMethod: "pm_card_threeDSecure2Required" });
      await faultOf(room, order.orderId, { ...create, fault: "execute_then_500", count: 1 });

      await initiate(order);

      const waiting = await paymentBecomes(room, order.orderId, "REQUIRES_ACTION");
      await eventually(async () =>
        expect(await attemptsOf(waiting.id)).toMatchObject([{ status: "SETTLED" }]),
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
      const [one, two] = await attemptsOf(payment.id);
      expect(two?.key).not.toBe(one?.key);
      await chargedOnce(order.orderId);
    });

    test("of a confirmation is settled by retrieving the PaymentIntent, paid or not", async () => {
      const [paid, unpaid] = [anAttempt(refused), anAttempt(refused)];
      await Promise.all([paid, unpaid].map((order) => initiate(order)));
      await Promise.all([paid, unpaid].map(({ orderId }) => withoutWebhooks(orderId)));
      await faultOf(room, paid.orderId, { ...confirm, fault: "execute_then_500" });
      await faultOf(room, unpaid.orderId, { ...confirm, fault: "status", status: 500 });
      const next = { attemptNumber: 2, paymentMethod: "pm_card_visa" };

      await Promise.all([paid, unpaid].map((order) => initiate({ ...order, ...next })));

      await paymentBecomes(room, paid.orderId, "SUCCEEDED");
      await paymentBecomes(room, unpaid.orderId, "FAILED");
      expect(await initiate({ ...unpaid, ...next, attemptNumber: 3 })).toMatchObject({
        status: SUCCEEDED,
      });
      await chargedOnce(paid.orderId);
      await chargedOnce(unpaid.orderId);
    });
  });

  describe("400 payment_intent_unexpected_state", () => {
    test("of a confirmation: the PaymentIntent that it shows is the truth", async () => {
      const order = anAttempt(refused);
      const { paymentIntentId } = await initiate(order);
      await withoutWebhooks(order.orderId);
      await atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_mastercard" });

      const again = await initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" });

      expect(again.status).toBe(SUCCEEDED);
      await chargedOnce(order.orderId);
    });

    test("of a cancellation: who paid first has paid", async () => {
      const order = anAttempt({ paymentMethod: "" });
      const { paymentIntentId } = await initiate(order);
      await withoutWebhooks(order.orderId);
      await atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa" });

      const { payment } = await room.asOrder.cancelPayment({ orderId: order.orderId });

      expect(payment?.status).toBe(SUCCEEDED);
      await chargedOnce(order.orderId);
    });
  });

  test.each([
    ["401", 401, "not_allowed"],
    ["403", 403, "not_allowed"],
    ["other 400", 400, "wrong_request"],
  ])(
    "%s: it is definite, so the attempt is FAILED at once, and operators are told",
    async (_row, status, failure) => {
      const order = anAttempt();
      await faultOf(room, order.orderId, { ...create, fault: "status", status, count: 1 });

      const payment = await initiate(order);

      expect(payment.status).toBe(FAILED);
      expect(alarmsOf(room, payment.id)).toMatchObject([{ failure }]);
      expect(await ledgerOf(room, order.orderId)).toEqual([]);
    },
  );

  test("400 for a payment method that does not exist: FAILED, and no operator is woken", async () => {
    const payment = await initiate(anAttempt({ paymentMethod: "pm_nowhere" }));

    expect(payment).toMatchObject({ status: FAILED, declineCode: "resource_missing" });
    expect(alarmsOf(room, payment.id)).toEqual([]);
  });

  test("a key that is older than 23 hours is not used again: the list of PaymentIntents settles it", async () => {
    const order = anAttempt();
    await withoutWebhooks(order.orderId);
    await faultOf(room, order.orderId, { ...create, fault: "execute_then_drop" });
    const payment = await initiate(order);
    const [attempt] = await attemptsOf(payment.id);
    const aged = `update payment_attempts set create_time = now() - interval '23 hours 1 minute'
                where payment_id = $1`;
    await room.query(aged, [payment.id]);
    await fetch(`${room.sandboxUrl}/_/keys/${attempt?.key}`, { method: "DELETE" });

    await paymentBecomes(room, order.orderId, "SUCCEEDED");

    await chargedOnce(order.orderId);
  });

  test("unknown enum value: it is kept, nothing breaks, and what comes after it is understood", async () => {
    await using parts = new AsyncDisposableStack();
    const words = { from: '"status":"processing"', to: '"status":"requires_prayer"' };
    await using later = await openPaymentRoom(inject("servers"), {}, async (sandbox) => {
      const future = parts.use(await openFutureStripe(sandbox, words));
      return future.url;
    });
    const order = anAttempt({ paymentMethod: "pm_usBankAccount_processing" });

    const { payment } = await later.asOrder.initiatePayment(order);

    expect(payment).toMatchObject({ status: PENDING_INITIATION });
    const intent = payment?.paymentIntentId ?? "";
    expect(intent).toMatch(/^pi_/);
    await eventually(async () =>
      expect(await inboxOf(later, intent)).toContainEqual(
        expect.objectContaining({ reason: expect.stringContaining("requires_prayer") }),
      ),
    );
    await atSandbox(later, `3ds/${intent}/succeed`, {});
    await paymentBecomes(later, order.orderId, "SUCCEEDED");
  });
});

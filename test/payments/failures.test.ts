// Each row of the table of how a call to Stripe can fail has its test: what follows, and that money moves once.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openFutureStripe } from "../harness/future-stripe.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  paymentOf,
  checkPayment,
  paymentBecomes,
  atSandbox,
  faultOf,
  ledgerOf,
  inboxOf,
  alarmsOf,
  withoutWebhooks,
  attemptsOf,
  isChargedOnce,
} from "../harness/payments.ts";

const { SUCCEEDED, FAILED, UNKNOWN, PENDING_INITIATION } = PaymentStatus;
/** Every try that the SDK makes of one call. */
const ALL_TRIES = 3;
const create = { operation: "payment_intents.create", count: ALL_TRIES };
const refused = { paymentMethod: "pm_card_chargeDeclined" };

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const initiate = async (request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

describe.concurrent("a call to Stripe that fails by", () => {
  test("timeout: it is repeated with the same key and parameters, while the first call may still be at work", async () => {
    const order = anAttempt();
    await withoutWebhooks(room, order.orderId);
    const late = { ...create, fault: "execute_then_wait", latencyMs: 3000, count: 1 };
    await faultOf(room, order.orderId, late);

    const payment = await initiate(order);

    // The SDK's own repetitions may have met the first one at work (409), which tells no more than that.
    expect([UNKNOWN, PENDING_INITIATION]).toContain(payment.status);
    const [lost] = await attemptsOf(room, payment.id);
    expect(lost?.due).toBeInstanceOf(Date);
    await paymentBecomes(room, order.orderId, "SUCCEEDED");
    expect(await attemptsOf(room, payment.id)).toMatchObject([
      { status: "SETTLED", key: lost?.key },
    ]);
    await isChargedOnce(room, order.orderId);
  });

  describe.each([
    ["socket reset", { fault: "execute_then_drop" }],
    ["socket reset before it was executed", { fault: "drop" }],
  ])("%s", (_row, fault) => {
    test("is UNKNOWN, never FAILED, and is repeated with the same key and parameters", async () => {
      const order = anAttempt();
      await withoutWebhooks(room, order.orderId);
      await faultOf(room, order.orderId, { ...create, ...fault });

      const payment = await initiate(order);

      expect(payment).toMatchObject({ status: UNKNOWN, declineCode: "" });
      const [lost] = await attemptsOf(room, payment.id);
      expect(lost).toMatchObject({ status: "UNKNOWN", due: expect.any(Date) });
      await paymentBecomes(room, order.orderId, "SUCCEEDED");
      expect(await attemptsOf(room, payment.id)).toMatchObject([
        { status: "SETTLED", key: lost?.key },
      ]);
      await isChargedOnce(room, order.orderId);
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
    const [waiting] = await attemptsOf(room, payment.id);
    expect(waiting).toMatchObject({ status: "CREATING", due: expect.any(Date) });
    await paymentBecomes(room, order.orderId, "SUCCEEDED");
    expect(await attemptsOf(room, payment.id)).toMatchObject([
      { status: "SETTLED", key: waiting?.key },
    ]);
    await isChargedOnce(room, order.orderId);
    expect(alarmsOf(room, payment.id)).toEqual([]);
  });

  test("400 idempotency_error: the attempt is parked, operators are told, and no new key is ever made", async () => {
    const order = anAttempt();
    await withoutWebhooks(room, order.orderId);
    await faultOf(room, order.orderId, { ...create, fault: "execute_then_drop" });
    const payment = await initiate(order);
    const drift = `update payment_attempts set params = jsonb_set(params::jsonb, '{params,amount}', '1998')::json
                 where payment_id = $1`;
    await room.query(drift, [payment.id]);

    await eventually(async () =>
      expect(await attemptsOf(room, payment.id)).toMatchObject([{ status: "PARKED", due: null }]),
    );

    expect(alarmsOf(room, payment.id)).toMatchObject([{ failure: "key_mismatch" }]);
    expect(await checkPayment(room, order.orderId)).toMatchObject({ status: UNKNOWN });
    await expect(
      room.asOrder.initiatePayment({ ...order, attemptNumber: 2 }),
    ).rejects.toMatchObject({
      rawMessage: expect.stringContaining("attempt 1"),
    });
    await isChargedOnce(room, order.orderId);
  });

  test("402: the attempt is FAILED; the next one confirms the same PaymentIntent with a new method and a new key", async () => {
    const order = anAttempt({ paymentMethod: "pm_card_chargeDeclinedInsufficientFunds" });
    const first = await initiate(order);
    expect(first).toMatchObject({ status: FAILED, declineCode: "insufficient_funds" });

    const second = await initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" });

    expect(second).toMatchObject({ status: SUCCEEDED, attemptNumber: 2, declineCode: "" });
    expect(second.paymentIntentId).toBe(first.paymentIntentId);
    const [one, two] = await attemptsOf(room, first.id);
    expect(two).toMatchObject({ status: "SETTLED", method: "pm_card_visa" });
    expect(two?.key).not.toBe(one?.key);
    await isChargedOnce(room, order.orderId);
  });

  describe("400 payment_intent_unexpected_state", () => {
    test("of a confirmation: the PaymentIntent that it shows is the truth", async () => {
      const order = anAttempt(refused);
      // From the beginning: a webhook of the refusal that comes late would find out before the confirmation does.
      await withoutWebhooks(room, order.orderId);
      const { paymentIntentId } = await initiate(order);
      await atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_mastercard" });

      const again = await initiate({ ...order, attemptNumber: 2, paymentMethod: "pm_card_visa" });

      expect(again.status).toBe(SUCCEEDED);
      await isChargedOnce(room, order.orderId);
    });

    test("of a cancellation: who paid first has paid", async () => {
      const order = anAttempt({ paymentMethod: "" });
      const { paymentIntentId } = await initiate(order);
      await withoutWebhooks(room, order.orderId);
      await atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa" });

      const { payment } = await room.asOrder.cancelPayment({ orderId: order.orderId });

      expect(payment?.status).toBe(SUCCEEDED);
      await isChargedOnce(room, order.orderId);
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

// Money that goes back: never more than was paid, once per request, and whatever becomes of it is seen.
import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  onBehalfOf,
  paymentOf,
  checkPayment,
  atSandbox,
  faultOf,
  ledgerOf,
  inboxOf,
  publishedOf,
  withoutWebhooks,
} from "../harness/payments.ts";

const { SUCCEEDED, PENDING, FAILED, PENDING_INITIATION } = RefundStatus;
const EUR = (minorUnits: bigint) => ({ currencyCode: "EUR", minorUnits });
const PAID = 1999n;

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const pay = async (fields: Readonly<Record<string, unknown>> = {}) =>
  paymentOf(await room.asOrder.initiatePayment(anAttempt(fields)));

const aRefund = (paymentId: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  paymentId,
  requestId: randomUUID(),
  reason: RefundReason.REQUESTED_BY_CUSTOMER,
  ...fields,
});

const refund = async (request: ReturnType<typeof aRefund>) => {
  const answer = await room.asOperator.refundPayment(request);
  if (answer.refund === undefined) throw new Error("the answer has no refund");
  return { refund: answer.refund, payment: paymentOf(answer) };
};

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );

const refundedAtStripe = async (orderId: string, refunded: number) =>
  expect(await ledgerOf(room, orderId)).toMatchObject([{ refunded, charged: Number(PAID) }]);

describe.concurrent("a refund", () => {
  test("without an amount gives back all that is left, and is told once", async () => {
    const { id, orderId } = await pay();

    const { refund: made, payment } = await refund(aRefund(id));

    expect(made).toMatchObject({ status: SUCCEEDED, amount: EUR(PAID), paymentId: id });
    expect(made.stripeRefundId).toMatch(/^re_/);
    expect(payment.refunded).toMatchObject(EUR(PAID));
    await refundedAtStripe(orderId, Number(PAID));
    await eventually(async () =>
      expect(await inboxOf(room, payment.paymentIntentId)).toContainEqual(
        expect.objectContaining({ type: "charge.refunded", status: "IGNORED" }),
      ),
    );
    expect(await publishedOf(room, orderId)).toMatchObject([
      { case: "paymentStatusUpdated" },
      { case: "paymentRefunded", value: { refunded: EUR(PAID), refund: { id: made.id } } },
    ]);
  });

  test("of a part may be followed by others, up to what was paid and not a cent more", async () => {
    const { id, orderId } = await pay();
    await refund(aRefund(id, { amount: EUR(500n) }));
    await refund(aRefund(id, { amount: EUR(1000n) }));

    const tooMuch = refund(aRefund(id, { amount: EUR(500n) }));

    await expect(tooMuch).rejects.toMatchObject({ code: Code.InvalidArgument });
    await expect(tooMuch).rejects.toThrow(/499/);
    const { refund: rest, payment } = await refund(aRefund(id));
    expect(rest.amount).toMatchObject(EUR(499n));
    expect(payment.refunds.map(({ amount }) => amount?.minorUnits)).toEqual([500n, 1000n, 499n]);
    expect(await codeOf(refund(aRefund(id)))).toBe(Code.InvalidArgument);
    await refundedAtStripe(orderId, Number(PAID));
  });

  test("that is asked for again under its request_id is the same, and no other may use it", async () => {
    const { id, orderId } = await pay();
    const request = aRefund(id, { amount: EUR(700n) });

    const answers = await Promise.all(Array.from({ length: 5 }, () => refund(request)));
    const other = room.asOperator.refundPayment({ ...request, amount: EUR(701n) });

    expect(new Set(answers.map(({ refund: made }) => made.id)).size).toBe(1);
    await expect(other).rejects.toMatchObject({ code: Code.InvalidArgument });
    await expect(other).rejects.toThrow(/request_id/);
    await refundedAtStripe(orderId, 700);
  });

  test("races others: together they never give back more than was paid", async () => {
    const { id, orderId } = await pay();

    const codes = await Promise.all(
      Array.from({ length: 20 }, () => codeOf(refund(aRefund(id, { amount: EUR(400n) })))),
    );

    expect(codes.filter((code) => code === undefined)).toHaveLength(4);
    expect(new Set(codes)).toEqual(new Set([undefined, Code.InvalidArgument]));
    await refundedAtStripe(orderId, 1600);
  });

  test.each([
    ["lost", { fault: "execute_then_drop", count: 3 }],
    ["answered 500", { fault: "execute_then_500", count: 1 }],
  ])("whose answer was %s is made once, and settled by itself", async (_how, fault) => {
    const { id, orderId } = await pay();
    await withoutWebhooks(room, orderId);
    await faultOf(room, orderId, { operation: "refunds.create", ...fault });

    const { refund: lost } = await refund(aRefund(id));

    expect(lost).toMatchObject({ status: PENDING_INITIATION, stripeRefundId: "" });
    await eventually(async () =>
      expect((await checkPayment(room, orderId)).refunds).toMatchObject([
        { id: lost.id, status: SUCCEEDED },
      ]),
    );
    await refundedAtStripe(orderId, Number(PAID));
  });

  test("that a 500 kept from being made is FAILED once that is proven, and may be asked for anew", async () => {
    const { id, orderId } = await pay();
    await faultOf(room, orderId, { operation: "refunds.create", fault: "status", status: 500 });
    await refund(aRefund(id));

    await eventually(async () =>
      expect((await checkPayment(room, orderId)).refunds).toMatchObject([
        { status: FAILED, failureReason: "never_executed" },
      ]),
    );

    expect((await refund(aRefund(id))).refund.status).toBe(SUCCEEDED);
    await refundedAtStripe(orderId, Number(PAID));
  });

  test("that the bank sends back is FAILED, its amount is free again, and both are told", async () => {
    const { id, orderId } = await pay({ paymentMethod: "pm_card_refundFail" });
    const { refund: made } = await refund(aRefund(id));

    const failed = await eventually(async () => {
      const payment = await checkPayment(room, orderId);
      expect(payment.refunds).toMatchObject([{ id: made.id, status: FAILED }]);
      return payment;
    });

    expect(failed.refunded).toMatchObject(EUR(0n));
    expect(failed.refunds[0]?.failureReason).not.toBe("");
    expect((await refund(aRefund(id))).refund.amount).toMatchObject(EUR(PAID));
  });

  test("that is pending at the bank succeeds later", async () => {
    const { id, orderId } = await pay({ paymentMethod: "pm_card_pendingRefund" });

    const { refund: made } = await refund(aRefund(id));

    expect(made.status).toBe(PENDING);
    await eventually(async () =>
      expect((await checkPayment(room, orderId)).refunds).toMatchObject([{ status: SUCCEEDED }]),
    );
  });

  test("that is made at Stripe's dashboard appears, once, and counts", async () => {
    const { id, orderId, paymentIntentId } = await pay();
    const made = { payment_intent: paymentIntentId, amount: 600, reason: "duplicate" };
    await atSandbox(room, "refunds", made);

    const payment = await eventually(async () => {
      const seen = await checkPayment(room, orderId);
      expect(seen.refunds).toHaveLength(1);
      return seen;
    });

    expect(payment.refunds).toMatchObject([
      { status: SUCCEEDED, amount: EUR(600n), reason: RefundReason.DUPLICATE, paymentId: id },
    ]);
    expect(await codeOf(refund(aRefund(id, { amount: EUR(1400n) })))).toBe(Code.InvalidArgument);
    const rest = await refund(aRefund(id));
    expect(rest.refund.amount).toMatchObject(EUR(1399n));
  });

  test.each([
    ["a payment that took no money", { paymentMethod: "" }, Code.FailedPrecondition],
    ["another currency", { currency: "USD" }, Code.InvalidArgument],
    ["less than nothing", { minorUnits: -1n }, Code.InvalidArgument],
  ])(
    "is refused for %s",
    async (
      _what,
      {
        paymentMethod,
        currency,
        minorUnits,
      }: {
        paymentMethod?: string;
        currency?: string;
        minorUnits?: bigint;
      },
      code,
    ) => {
      const { id } = await pay({ paymentMethod: paymentMethod ?? "pm_card_visa" });
      const amount = { currencyCode: currency ?? "EUR", minorUnits: minorUnits ?? 1n };

      expect(await codeOf(refund(aRefund(id, { amount })))).toBe(code);
    },
  );

  test("of nobody's payment, or in another customer's name, is NOT_FOUND", async () => {
    const { id } = await pay();

    const codes = await Promise.all([
      codeOf(refund(aRefund(randomUUID()))),
      codeOf(room.asOrder.refundPayment(aRefund(id), onBehalfOf("somebody-else"))),
    ]);

    expect(codes).toEqual([Code.NotFound, Code.NotFound]);
  });
});

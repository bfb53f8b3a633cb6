// What the customers' banks want back is seen, told once, and taken off when it is won.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DisputeStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import { anAttempt, paymentOf, checkPayment, atSandbox, publishedOf } from "../harness/payments.ts";

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const pay = async () => paymentOf(await room.asOrder.initiatePayment(anAttempt()));

describe.concurrent("a dispute", () => {
  const dispute = (paymentIntentId: string, fields = {}) =>
    atSandbox<{ id: string }>(room, "disputes", { payment_intent: paymentIntentId, ...fields });

  const disputedIs = (orderId: string, disputed: boolean, status: DisputeStatus) =>
    eventually(async () =>
      expect(await checkPayment(room, orderId)).toMatchObject({ disputed, disputes: [{ status }] }),
    );

  test("marks its payment until it is won, and each change is told once", async () => {
    const { id, orderId, paymentIntentId } = await pay();
    const { id: disputeId } = await dispute(paymentIntentId);
    await disputedIs(orderId, true, DisputeStatus.OPEN);
    expect((await room.asOperator.listPayments({ disputed: true })).payments).toContainEqual(
      expect.objectContaining({ id }),
    );

    await atSandbox(room, `disputes/${disputeId}/win`, {});

    await disputedIs(orderId, false, DisputeStatus.WON);
    expect((await publishedOf(room, orderId)).slice(1)).toMatchObject([
      { case: "paymentDisputed", value: { disputed: true } },
      { case: "paymentDisputed", value: { disputed: false } },
    ]);
  });

  test("that is lost leaves its payment disputed", async () => {
    const { orderId, paymentIntentId } = await pay();
    const { id } = await dispute(paymentIntentId);

    await atSandbox(room, `disputes/${id}/lose`, {});

    await disputedIs(orderId, true, DisputeStatus.LOST);
  });

  test("that is only a question of the bank moves no money", async () => {
    const { orderId, paymentIntentId } = await pay();

    await dispute(paymentIntentId, { inquiry: true });

    await disputedIs(orderId, false, DisputeStatus.WARNING);
  });
});

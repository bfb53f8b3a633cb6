// The promise: an order tells what is known of its payment: where it stands, what was given back, whether it is disputed.
import { describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { intentIn, paymentBecomes, refundPayment } from "../harness/orders.ts";
import { newCustomer } from "../harness/people.ts";
import { inBrowser, stripePaymentsOf } from "../harness/sandbox.ts";
import { anOrder, becomes, getOrder, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const EUR = (minorUnits: number) => ({ currencyCode: "EUR", minorUnits: String(minorUnits) });

async function paidWith(paymentMethod: string) {
  const alice = await newCustomer(place);
  const { order } = await placeOrder(place, alice, anOrder({ paymentMethod }));
  const { payment } = await becomes(place, alice, order.id, "PAID");
  return { alice, orderId: order.id, paymentId: payment.id, total: order.total?.minorUnits ?? 0n };
}

describe.concurrent("an order", () => {
  test.each([
    ["pm_card_visa", "SUCCEEDED", ""],
    ["pm_card_chargeDeclinedLostCard", "FAILED", "lost_card"],
    ["pm_card_authenticationRequired", "REQUIRES_ACTION", ""],
    ["pm_usBankAccount_processing", "PROCESSING", ""],
    ["", "REQUIRES_PAYMENT_METHOD", ""],
  ] as const)("whose payment method is %j says %s", async (paymentMethod, status, declineCode) => {
    const alice = await newCustomer(place);
    const { order } = await placeOrder(place, alice, anOrder({ paymentMethod }));

    const { payment } = await paymentBecomes(place, alice, order.id, status);

    expect(payment).toMatchObject({ declineCode, attemptNumber: 1, disputed: false, refunds: [] });
    expect(payment.refunded?.minorUnits).toBe(0n);
    expect(payment.clientSecret).toBe("");
  });

  test("that a customer fails to authenticate is FAILED, and says why", async () => {
    const alice = await newCustomer(place);
    const asks = anOrder({ paymentMethod: "pm_card_authenticationRequired" });
    const { order, payment } = await placeOrder(place, alice, asks);

    await inBrowser(place, `3ds/${intentIn(payment)}/fail`);

    const failed = await becomes(place, alice, order.id, "FAILED");
    expect(failed.payment.declineCode).toBe("payment_intent_authentication_failure");
  });

  test("whose money was given back in parts stays PAID, and shows each part", async () => {
    const { alice, orderId, paymentId, total } = await paidWith("pm_card_visa");

    await refundPayment(place, paymentId, { amount: EUR(500) });
    await refundPayment(place, paymentId);

    const { order, payment } = await eventually(async () => {
      const found = await getOrder(place, alice, orderId);
      expect(found.payment.refunds).toHaveLength(2);
      return found;
    });
    expect(order.status).toBe(OrderStatus.PAID);
    expect(payment.status).toBe(PaymentStatus.SUCCEEDED);
    expect(payment.refunded?.minorUnits).toBe(total);
    expect(payment.refunds.map(({ amount, status }) => [amount?.minorUnits, status])).toEqual([
      [500n, RefundStatus.SUCCEEDED],
      [total - 500n, RefundStatus.SUCCEEDED],
    ]);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ refunded: Number(total) }]);
  });

  test("whose refund fails at the bank shows that, and that nothing was given back", async () => {
    const { alice, orderId, paymentId } = await paidWith("pm_card_refundFail");

    await refundPayment(place, paymentId);

    await eventually(async () => {
      const { payment } = await getOrder(place, alice, orderId);
      expect(payment.refunds).toMatchObject([
        { status: RefundStatus.FAILED, failureReason: expect.stringMatching(/./) },
      ]);
      expect(payment.refunded?.minorUnits).toBe(0n);
    });
  });

  test("that is disputed says so until the dispute is won, and stays PAID", async () => {
    const { alice, orderId } = await paidWith("pm_card_createDispute");
    const disputedIs = (disputed: boolean) =>
      eventually(async () => {
        const { order, payment } = await getOrder(place, alice, orderId);
        expect([order.status, payment.disputed]).toEqual([OrderStatus.PAID, disputed]);
      });

    await disputedIs(true);
    const [intent] = await stripePaymentsOf(place, orderId);
    await inBrowser(place, `disputes/${intent?.disputes[0]?.id}/win`);

    await disputedIs(false);
  });
});

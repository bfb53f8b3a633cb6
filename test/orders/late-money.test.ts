// The promise: money that comes for an order that was closed already goes back by itself, once, and the customer is told of both.
import { afterAll, describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { intentIn, paymentBecomes } from "../harness/orders.ts";
import { newCustomer } from "../harness/people.ts";
import { encoded, openPutter } from "../harness/records.ts";
import { query } from "../harness/rows.ts";
import {
  faultOf,
  faultsUntilDone,
  inBrowser,
  mailsTo,
  stripePaymentsOf,
} from "../harness/sandbox.ts";
import { anUnpaidOrder, becomes, getOrder, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const putter = await openPutter(place);
const faults = faultsUntilDone(place);
afterAll(async () => {
  await putter[Symbol.asyncDispose]();
  await faults[Symbol.asyncDispose]();
});

/** Tells Order of a payment what its PaymentIntent never said: as when one of the two was restored from a backup. */
const tell = (orderId: string, paymentId: string, status: PaymentStatus) =>
  putter.put(PaymentStatusEventSchema, {
    key: orderId,
    sequence: 1000,
    type: "payment.status-updated",
    value: encoded(PaymentStatusEventSchema, {
      orderId,
      customerId: "test",
      paymentId,
      event: { case: "paymentStatusUpdated", value: { status, attemptNumber: 1 } },
    }),
  });

async function aClosed(closing: "CANCELLED" | "EXPIRED") {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  await paymentBecomes(place, alice, order.id, "REQUIRES_PAYMENT_METHOD");
  const text = "update orders set closing = $2 where id = $1";
  await query(place, "order", text, [order.id, closing]);
  await tell(order.id, payment.id, PaymentStatus.CANCELLED);
  await becomes(place, alice, order.id, closing);
  return { alice, orderId: order.id, total: Number(order.total?.minorUnits), payment };
}

const byCard = { payment_method: "pm_card_visa" };

describe.concurrent("money for an order that is", () => {
  test.each([
    ["CANCELLED", /is cancelled$/],
    ["EXPIRED", /was not paid in time$/],
  ] as const)("%s is given back, and the customer hears of it", async (closing, closed) => {
    const { alice, orderId, total, payment } = await aClosed(closing);

    await inBrowser(place, `pay/${intentIn(payment)}`, byCard);

    const seen = await eventually(async () => {
      const found = await getOrder(place, alice, orderId);
      expect(found.payment.refunds).toHaveLength(1);
      return found;
    });
    expect(OrderStatus[seen.order.status]).toBe(closing);
    expect(seen.payment).toMatchObject({
      status: PaymentStatus.SUCCEEDED,
      refunded: { minorUnits: BigInt(total) },
      refunds: [{ reason: RefundReason.LATE_PAYMENT, status: RefundStatus.SUCCEEDED }],
    });
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([
      { charges: 1, charged: total, refunded: total },
    ]);
    await eventually(async () =>
      expect((await mailsTo(place, alice.email)).map(({ subject }) => subject)).toEqual([
        expect.stringMatching(/^Your order \S+$/),
        expect.stringMatching(closed),
        expect.stringMatching(/^Your payment for the order \S+ is returned$/),
      ]),
    );
    const lines = await query<{ type: string }>(
      place,
      "order",
      "select type from timeline_entries where order_id = $1 and visibility = 'PUBLIC' order by id",
      [orderId],
    );
    expect(lines.map(({ type }) => type)).toEqual([
      "order.created",
      `order.${closing.toLowerCase()}`,
      "order.late_money",
      "refund.succeeded",
    ]);
  });

  test("CANCELLED is given back once, though it is told twice and Stripe's answers are lost", async () => {
    const { alice, orderId, total, payment } = await aClosed("CANCELLED");
    await faultOf(place, orderId, {
      operation: "refunds.create",
      fault: "execute_then_drop",
      count: 3,
    });

    await inBrowser(place, `pay/${intentIn(payment)}`, byCard);
    await paymentBecomes(place, alice, orderId, "SUCCEEDED");
    const told = await tell(orderId, payment.id, PaymentStatus.SUCCEEDED);

    await eventually(async () => {
      const inbox = "select 1 from inbox where event_id = $1";
      expect(await query(place, "order", inbox, [told])).toHaveLength(1);
      const due = "select late_money, due_time from orders where id = $1";
      expect(await query(place, "order", due, [orderId])).toEqual([
        { late_money: false, due_time: null },
      ]);
      expect((await getOrder(place, alice, orderId)).payment.refunds).toMatchObject([
        { status: RefundStatus.SUCCEEDED },
      ]);
    });
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([
      { charges: 1, refunded: total, refunds: [{ amount: total }] },
    ]);
    const text =
      "select type from timeline_entries where order_id = $1 and type like 'order.late%'";
    expect(await query(place, "order", text, [orderId])).toEqual([{ type: "order.late_money" }]);
    const returned = async () =>
      (await mailsTo(place, alice.email)).filter(({ subject }) => subject.endsWith("is returned"));
    await eventually(async () => expect(await returned()).toHaveLength(1));
  });
});

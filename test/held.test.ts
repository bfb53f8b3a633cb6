// The promise: an event that cannot be applied is kept and visible, in the order of its key, and stops nobody else's.
import { afterAll, describe, expect, inject, test } from "vitest";
import { v7 } from "uuid";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatusEventSchema } from "../gen/waybill/payment/v1/payment_status_event_pb.js";
import { RefundStatus } from "../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "./harness/eventually.ts";
import { newCustomer } from "./harness/people.ts";
import { encoded, openPutter, orderCreated } from "./harness/records.ts";
import { query } from "./harness/rows.ts";
import { mailsTo } from "./harness/sandbox.ts";
import { becomes, placeOrder } from "./harness/shop.ts";

const place = inject("shared");
const putter = await openPutter(place);
afterAll(() => putter[Symbol.asyncDispose]());

const putRefund = (key: string, sequence: number, value: Uint8Array): Promise<string> =>
  putter.put(PaymentStatusEventSchema, { key, sequence, type: "payment.refunded", value });

/** Told by Notification, which needs the order's contact for it. */
const refunded = (orderId: string, minorUnits: bigint): Uint8Array => {
  const amount = { currencyCode: "EUR", minorUnits };
  const refund = { id: v7(), status: RefundStatus.SUCCEEDED, amount };
  return encoded(PaymentStatusEventSchema, {
    orderId,
    customerId: "held",
    paymentId: v7(),
    event: { case: "paymentRefunded", value: { refund, refunded: amount } },
  });
};

const heldBy = (store: "order" | "notification", orderId: string) =>
  query<{ state: string; seq: string; reason: string }>(
    place,
    store,
    "select state, seq::text, reason from held_event where key = $1 order by id",
    [orderId],
  );

describe("an event whose ground comes by another topic", () => {
  test("waits for it, with the later ones of its key, and then all are told in order", async () => {
    const orderId = v7();
    const email = `held-${orderId}@example.com`;
    await putRefund(orderId, 1, refunded(orderId, 30n));
    await putRefund(orderId, 2, refunded(orderId, 70n));
    await eventually(async () => {
      const held = await heldBy("notification", orderId);
      expect(held.map(({ state, seq }) => [state, seq])).toEqual([
        ["waiting", "1"],
        ["waiting", "2"],
      ]);
    });
    expect(await mailsTo(place, email)).toEqual([]);

    await putter.put(OrderEventSchema, {
      key: orderId,
      sequence: 1,
      type: "order.created",
      value: orderCreated(orderId, email, "HELD-0000-00"),
    });

    await eventually(async () => {
      const subjects = (await mailsTo(place, email)).map(({ subject }) => subject);
      expect(subjects.toSorted()).toEqual([
        "Refund for your order HELD-0000-00",
        "Refund for your order HELD-0000-00",
        "Your order HELD-0000-00",
      ]);
      expect(await heldBy("notification", orderId)).toEqual([]);
    });
  });
});

describe("an event that nobody can read", () => {
  test("is kept as dead, the later ones of its key behind it, and other orders go on", async () => {
    const orderId = v7();
    const alice = await newCustomer(place);

    await putRefund(orderId, 1, Buffer.from("no protobuf"));
    await putRefund(orderId, 2, refunded(orderId, 100n));
    const { order } = await placeOrder(place, alice);

    await becomes(place, alice, order.id, "PAID");
    for (const store of ["order", "notification"] as const) {
      await eventually(async () => {
        const held = await heldBy(store, orderId);
        expect(held.map(({ state, seq }) => [state, seq])).toEqual([
          ["dead", "1"],
          ["waiting", "2"],
        ]);
      });
      await query(place, store, "delete from held_event where key = $1", [orderId]);
    }
  });
});

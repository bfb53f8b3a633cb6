// The promise: an order that nobody pays in time is EXPIRED, and was not charged; one whose money was quicker says PAID.
import { afterAll, describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { eventually } from "../harness/eventually.ts";
import { cancelOrder, intentIn, paymentBecomes, payOrder, timeIsOver } from "../harness/orders.ts";
import { newCustomer } from "../harness/people.ts";
import { query } from "../harness/rows.ts";
import {
  atStripe,
  faultsUntilDone,
  inBrowser,
  mailsTo,
  stripePaymentsOf,
  withoutWebhooks,
} from "../harness/sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, getOrder, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const UNMET = { status: 400, json: { code: "failed_precondition" } };
/** What the settings say unless told otherwise. */
const DAY_S = 86_400;

const faults = faultsUntilDone(place);
afterAll(() => faults[Symbol.asyncDispose]());

/** The seconds until the order's time is over, from when it was taken and from now. */
async function timeOf(orderId: string): Promise<{ whole: number; left: number; closing: string }> {
  const [row] = await query<{ whole: number; left: number; closing: string }>(
    place,
    "order",
    `select extract(epoch from expire_time - create_time)::int as whole,
            extract(epoch from expire_time - now())::int as left, coalesce(closing, '') as closing
     from orders where id = $1`,
    [orderId],
  );
  if (row === undefined) throw new Error("there is no such order");
  return row;
}

describe.concurrent("an order whose time is over", () => {
  test("and that nobody paid is EXPIRED, at Stripe too, and the customer is told", async () => {
    const alice = await newCustomer(place);
    const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
    await paymentBecomes(place, alice, order.id, "REQUIRES_PAYMENT_METHOD");
    expect((await timeOf(order.id)).whole).toBe(DAY_S);

    await timeIsOver(place, order.id);

    await becomes(place, alice, order.id, "EXPIRED");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([
      { status: "canceled", charges: 0 },
    ]);
    const intent = await atStripe(place).paymentIntents.retrieve(intentIn(payment));
    expect(intent.cancellation_reason).toBe("abandoned");
    expect(await cancelOrder(place, alice, order.id)).toMatchObject(UNMET);
    expect(await payOrder(place, alice, order.id)).toMatchObject(UNMET);
    await eventually(async () =>
      expect((await mailsTo(place, alice.email)).at(-1)?.subject).toMatch(/was not paid in time$/),
    );
  });

  test("after a refusal is EXPIRED", async () => {
    const alice = await newCustomer(place);
    const declined = anOrder({ paymentMethod: "pm_card_chargeDeclined" });
    const { order } = await placeOrder(place, alice, declined);
    await becomes(place, alice, order.id, "FAILED");

    await timeIsOver(place, order.id);

    await becomes(place, alice, order.id, "EXPIRED");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ status: "canceled" }]);
  });

  test("and that was paid, which nobody has told yet, is PAID", async () => {
    const alice = await newCustomer(place);
    const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
    await withoutWebhooks(place, order.id);
    await inBrowser(place, `pay/${intentIn(payment)}`, { payment_method: "pm_card_visa" });

    await timeIsOver(place, order.id);

    await becomes(place, alice, order.id, "PAID");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1, refunded: 0 }]);
  });

  test("while its bank is at work stays open, is looked at an hour later, and may be paid still", async () => {
    const alice = await newCustomer(place);
    const debit = anOrder({ paymentMethod: "pm_usBankAccount_processing" });
    const { order, payment } = await placeOrder(place, alice, debit);
    await paymentBecomes(place, alice, order.id, "PROCESSING");

    await timeIsOver(place, order.id);

    await eventually(async () => {
      const { left, closing } = await timeOf(order.id);
      expect([closing, left > 3500]).toEqual(["", true]);
    });
    const { order: open } = await getOrder(place, alice, order.id);
    expect(open.status).toBe(OrderStatus.PENDING);
    await inBrowser(place, `3ds/${intentIn(payment)}/succeed`);
    await becomes(place, alice, order.id, "PAID");
  });
});

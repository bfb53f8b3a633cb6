// The promise: an order that says CANCELLED was not charged; one whose money was quicker says PAID.
import { afterAll, describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { eventually } from "../harness/eventually.ts";
import { cancelOrder, intentIn, paymentBecomes, payOrder, statusIn } from "../harness/orders.ts";
import { newCustomer } from "../harness/people.ts";
import {
  atStripe,
  faultOf,
  faultsUntilDone,
  inBrowser,
  mailsTo,
  stripePaymentsOf,
  withoutWebhooks,
} from "../harness/sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, getOrder, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const { PENDING } = OrderStatus;
const UNMET = { status: 400, json: { code: "failed_precondition" } };

const faults = faultsUntilDone(place);
afterAll(() => faults[Symbol.asyncDispose]());

async function anUnpaid() {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  const { order: seen } = await paymentBecomes(place, alice, order.id, "REQUIRES_PAYMENT_METHOD");
  return { alice, orderId: order.id, payment, version: seen.version };
}

async function paidWith(paymentMethod: string) {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anOrder({ paymentMethod }));
  return { alice, orderId: order.id, payment };
}

describe.concurrent("an order that is cancelled", () => {
  test("before it is paid is CANCELLED, at Stripe too, and the customer is told once", async () => {
    const { alice, orderId, payment } = await anUnpaid();

    const first = await cancelOrder(place, alice, orderId);
    const again = await cancelOrder(place, alice, orderId);

    expect([statusIn(first), statusIn(again)]).toEqual(["CANCELLED", "CANCELLED"]);
    expect(again.json).toEqual(first.json);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([
      { status: "canceled", charges: 0 },
    ]);
    const intent = await atStripe(place).paymentIntents.retrieve(intentIn(payment));
    expect(intent.cancellation_reason).toBe("requested_by_customer");
    await expect(
      inBrowser(place, `pay/${intentIn(payment)}`, { payment_method: "pm_card_visa" }),
    ).rejects.toThrow(/canceled/);
    await eventually(async () =>
      expect((await mailsTo(place, alice.email)).map(({ subject }) => subject)).toEqual([
        expect.stringMatching(/^Your order \S+$/),
        expect.stringMatching(/is cancelled$/),
      ]),
    );
  });

  test("after a refusal is CANCELLED, and cannot be paid any more", async () => {
    const { alice, orderId } = await paidWith("pm_card_chargeDeclined");
    await becomes(place, alice, orderId, "FAILED");

    expect(statusIn(await cancelOrder(place, alice, orderId))).toBe("CANCELLED");

    expect(await payOrder(place, alice, orderId)).toMatchObject(UNMET);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ status: "canceled" }]);
  });

  test("while the customer should authenticate is CANCELLED", async () => {
    const { alice, orderId } = await paidWith("pm_card_authenticationRequired");

    expect(statusIn(await cancelOrder(place, alice, orderId))).toBe("CANCELLED");
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ status: "canceled" }]);
  });

  test("by an operator is CANCELLED", async () => {
    const { alice, orderId } = await anUnpaid();

    const answer = await cancelOrder(place, { token: place.stack.tokens.operator }, orderId);

    expect(statusIn(answer)).toBe("CANCELLED");
    await becomes(place, alice, orderId, "CANCELLED");
  });

  test("when it is paid stays PAID, and nothing is given back", async () => {
    const { alice, orderId } = await paidWith("pm_card_visa");
    const { order } = await becomes(place, alice, orderId, "PAID");

    expect(await cancelOrder(place, alice, orderId)).toMatchObject(UNMET);

    expect((await getOrder(place, alice, orderId)).order.version).toBe(order.version);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1, refunded: 0 }]);
  });

  test("while nobody knows yet that it was paid is PAID, and the answer says so", async () => {
    const { alice, orderId, payment } = await anUnpaid();
    await withoutWebhooks(place, orderId);
    await inBrowser(place, `pay/${intentIn(payment)}`, { payment_method: "pm_card_visa" });
    expect((await getOrder(place, alice, orderId)).order.status).toBe(PENDING);

    const answer = await cancelOrder(place, alice, orderId);

    expect(statusIn(answer)).toBe("PAID");
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1, refunded: 0 }]);
    await eventually(async () =>
      expect((await mailsTo(place, alice.email)).at(-1)?.subject).toMatch(/^Payment received/),
    );
  });

  test("while it is not known what became of its attempt is what became of it", async () => {
    const { alice, orderId } = await anUnpaid();
    await withoutWebhooks(place, orderId);
    const lost = { operation: "payment_intents.confirm", fault: "execute_then_drop", count: 3 };
    await faultOf(place, orderId, lost);
    await payOrder(place, alice, orderId);

    const answer = await cancelOrder(place, alice, orderId);

    expect(statusIn(answer)).toBe("PAID");
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1 }]);
  });

  test("while its bank is at work is refused, stays open, and is paid when the bank has decided", async () => {
    const { alice, orderId, payment } = await paidWith("pm_usBankAccount_processing");
    await paymentBecomes(place, alice, orderId, "PROCESSING");

    expect(await cancelOrder(place, alice, orderId)).toMatchObject(UNMET);
    expect((await getOrder(place, alice, orderId)).order.status).toBe(PENDING);

    await inBrowser(place, `3ds/${intentIn(payment)}/succeed`);
    await becomes(place, alice, orderId, "PAID");
  });

  test("by who has seen another version of it is ABORTED, and nothing is done", async () => {
    const { alice, orderId, version } = await anUnpaid();
    const [stale, seen] = [version - 1n, version].map((expected) => ({
      expectedVersion: String(expected),
    }));

    expect(await cancelOrder(place, alice, orderId, stale)).toMatchObject({
      status: 409,
      json: { code: "aborted", violations: [{ field: "expectedVersion" }] },
    });
    const after = await getOrder(place, alice, orderId);
    expect([after.order.status, after.order.version]).toEqual([PENDING, version]);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([
      { status: "requires_payment_method" },
    ]);

    expect(statusIn(await cancelOrder(place, alice, orderId, seen))).toBe("CANCELLED");
    // Whoever repeats the call has seen the same version still.
    expect(statusIn(await cancelOrder(place, alice, orderId, seen))).toBe("CANCELLED");
  });
});

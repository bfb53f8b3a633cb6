// The promise: a request_id makes one order, however often it is sent, whatever dies meanwhile; each answer is built anew.
import { randomUUID } from "node:crypto";
import { describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { CreateOrderResponseSchema } from "../../gen/waybill/order/v1/order_service_pb.js";
import { takeControl } from "../harness/control.ts";
import { eventually } from "../harness/eventually.ts";
import { messageOf } from "../harness/http.ts";
import { refundPayment } from "../harness/orders.ts";
import { newCustomer, type Person } from "../harness/people.ts";
import { lockTable, query } from "../harness/rows.ts";
import { faultsUntilDone, orderFault, stripePaymentsOf } from "../harness/sandbox.ts";
import {
  anOrder,
  anUnpaidOrder,
  becomes,
  complete,
  getOrder,
  placeOrder,
  postOrder,
} from "../harness/shop.ts";

const place = inject("shared");
const launcher = await takeControl(inject("control"));
/** Long enough for a call that waits for another one, in milliseconds; that one takes longer. */
const SHORT_MS = 800;

const withKey = () => ({ "idempotency-key": randomUUID() });

const ordersOf = ({ id }: Person) =>
  query<{ id: string }>(place, "order", "select id from orders where customer_id = $1", [id]);

describe.concurrent("a request_id that is sent again", () => {
  test("gives the same order and payment, and the client secret, which is nowhere stored", async () => {
    const alice = await newCustomer(place);
    const headers = withKey();

    const first = await placeOrder(place, alice, anUnpaidOrder(), headers);
    const again = await placeOrder(place, alice, anUnpaidOrder(), headers);

    expect(again.order.id).toBe(first.order.id);
    expect(again.payment).toMatchObject({ id: first.payment.id, attemptNumber: 1 });
    expect(again.payment.clientSecret).toBe(first.payment.clientSecret);
    expect(again.payment.clientSecret).toContain("_secret_");
    expect(await stripePaymentsOf(place, first.order.id)).toHaveLength(1);
  });

  test("after a refusal says so, and lets the customer pay in the browser", async () => {
    const alice = await newCustomer(place);
    const headers = withKey();
    const body = anOrder({ paymentMethod: "pm_card_chargeDeclined" });
    const { order } = await placeOrder(place, alice, body, headers);
    await becomes(place, alice, order.id, "FAILED");

    const again = await placeOrder(place, alice, body, headers);

    expect(again.order).toMatchObject({ id: order.id, status: OrderStatus.FAILED });
    expect(again.payment).toMatchObject({
      status: PaymentStatus.FAILED,
      declineCode: "generic_decline",
      attemptNumber: 1,
    });
    expect(again.payment.clientSecret).toContain("_secret_");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 0 }]);
  });

  test("when the order is paid tells that, and what was given back since", async () => {
    const alice = await newCustomer(place);
    const headers = withKey();
    const { order } = await placeOrder(place, alice, anOrder(), headers);
    const { payment } = await becomes(place, alice, order.id, "PAID");
    const amount = { currencyCode: "EUR", minorUnits: "798" };
    await refundPayment(place, payment.id, { amount });
    await eventually(async () =>
      expect((await getOrder(place, alice, order.id)).payment.refunds).toHaveLength(1),
    );

    const again = await placeOrder(place, alice, anOrder(), headers);

    expect(again.order.status).toBe(OrderStatus.PAID);
    expect(again.payment.refunded?.minorUnits).toBe(798n);
    expect(again.payment.refunds).toHaveLength(1);
    expect(again.payment.clientSecret).toBe("");
  });

  test("a day later gives the same order still", async () => {
    const alice = await newCustomer(place);
    const headers = withKey();
    const { order } = await placeOrder(place, alice, anOrder(), headers);
    await becomes(place, alice, order.id, "PAID");
    const ago = "create_time = create_time - interval '24 hours'";
    await query(place, "order", `update order_requests set ${ago} where order_id = $1`, [order.id]);
    await query(place, "order", `update orders set ${ago} where id = $1`, [order.id]);

    const again = await placeOrder(place, alice, anOrder(), headers);

    expect(again.order.id).toBe(order.id);
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
  });

  test("by another customer is another order", async () => {
    const [alice, bob] = [await newCustomer(place), await newCustomer(place)];
    const headers = withKey();

    const hers = await placeOrder(place, alice, anUnpaidOrder(), headers);
    const his = await placeOrder(place, bob, anUnpaidOrder(), headers);

    expect(his.order.id).not.toBe(hers.order.id);
    expect(his.order.customerId).toBe(bob.id);
  });

  test.each([
    ["another quantity", { items: [{ sku: "coffee-beans-1kg", quantity: 3 }] }],
    ["another product", { items: [{ sku: "grinder", quantity: 2 }] }],
    ["another payment method", { paymentMethod: "pm_card_mastercard" }],
    ["another contact", { contact: { email: "other@example.com" } }],
    ["an expected total", { expectedTotal: { currencyCode: "EUR", minorUnits: "3798" } }],
  ])("with %s is refused, and says why", async (_what, other) => {
    const alice = await newCustomer(place);
    const headers = withKey();
    await placeOrder(place, alice, anOrder(), headers);

    const answer = await postOrder(place, alice, anOrder(other), { headers });

    expect(answer).toMatchObject({
      status: 400,
      json: {
        code: "invalid_argument",
        reason: "IDEMPOTENCY_KEY_REUSED",
        violations: [{ field: "requestId" }],
      },
    });
    expect(await ordersOf(alice)).toHaveLength(1);
  });

  test("ten times at once is one order with one event, charged once", async () => {
    const alice = await newCustomer(place);
    const headers = withKey();

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => placeOrder(place, alice, anOrder(), headers)),
    );

    const ids = new Set(answers.map(({ order }) => order.id));
    expect(ids.size).toBe(1);
    const [id = ""] = ids;
    expect(await ordersOf(alice)).toEqual([{ id }]);
    await becomes(place, alice, id, "PAID");
    expect(await stripePaymentsOf(place, id)).toMatchObject([{ charges: 1 }]);
  });
});

describe("a first call that is at work still", () => {
  test("is waited for, as long as the caller has time, and then it is ABORTED", async () => {
    const alice = await newCustomer(place);
    const headers = withKey();
    const short = { ...headers, "connect-timeout-ms": String(SHORT_MS) };
    const locked = await lockTable(place, "order", "orders");
    const first = placeOrder(place, alice, anOrder(), headers);
    await eventually(async () => expect(await locked.waiting()).toBeGreaterThan(0));

    const impatient = await postOrder(place, alice, anOrder(), { headers: short });
    const patient = placeOrder(place, alice, anOrder(), headers);
    await locked[Symbol.asyncDispose]();

    expect(impatient).toMatchObject({ status: 409, json: { code: "aborted" } });
    expect((await patient).order.id).toBe((await first).order.id);
    expect(await ordersOf(alice)).toHaveLength(1);
  });
});

test("first calls that died block nobody: what was stored is gone on with, what was not is taken anew", async () => {
  await using _ = faultsUntilDone(place);
  const [alice, bob] = [await newCustomer(place), await newCustomer(place)];
  const [hers, his] = [withKey(), withKey()];
  const late = { provider: "stripe", operation: "payment_intents.create" };
  await orderFault(place, { ...late, fault: "latency", latencyMs: 1500 });
  const stored = postOrder(place, alice, anOrder(), { headers: hers }).catch(() => undefined);
  const [before] = await eventually(async () => {
    const rows = await ordersOf(alice);
    expect(rows).toHaveLength(1);
    return rows;
  });
  const locked = await lockTable(place, "order", "orders");
  const unstored = postOrder(place, bob, anOrder(), { headers: his }).catch(() => undefined);
  await eventually(async () => expect(await locked.waiting()).toBeGreaterThan(0));

  await launcher.kill("order", "SIGKILL");
  await locked[Symbol.asyncDispose]();
  const again = { alice: await taken(alice, hers), bob: await taken(bob, his) };
  await Promise.all([stored, unstored]);

  expect(again.alice.order.id).toBe(before?.id);
  expect(await ordersOf(alice)).toHaveLength(1);
  expect(await ordersOf(bob)).toEqual([{ id: again.bob.order.id }]);
  for (const [who, { order }] of [
    [alice, again.alice],
    [bob, again.bob],
  ] as const) {
    await becomes(place, who, order.id, "PAID");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
  }
});

/** The order, as soon as the service is back. */
const taken = (alice: Person, headers: Readonly<Record<string, string>>) =>
  eventually(async () => {
    const answer = await postOrder(place, alice, anOrder(), { headers });
    return complete(messageOf(CreateOrderResponseSchema, answer));
  });

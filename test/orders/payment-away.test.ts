// The promise: while the Payment service is away an order says what it is, and what was asked for happens when it is back.
import { afterAll, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { takeControl } from "../harness/control.ts";
import { eventually } from "../harness/eventually.ts";
import { cancelOrder, paymentBecomes, payOrder, timeIsOver } from "../harness/orders.ts";
import { newCustomer } from "../harness/people.ts";
import { query } from "../harness/rows.ts";
import { stripePaymentsOf } from "../harness/sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, getOrder, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const launcher = await takeControl(inject("control"));
afterAll(() => launcher.start("payment"));
const UNMET = { status: 400, json: { code: "failed_precondition" } };
const AWAY = { status: 503, json: { code: "unavailable" } };

const closingOf = async (orderId: string) =>
  await query<{ closing: string }>(place, "order", "select closing from orders where id = $1", [
    orderId,
  ]);

test("a cancellation is UNAVAILABLE and comes by itself, and what should have been paid meanwhile is not charged", async () => {
  const alice = await newCustomer(place);
  const { order: open } = await placeOrder(place, alice, anUnpaidOrder());
  const declined = anOrder({ paymentMethod: "pm_card_chargeDeclined" });
  const { order: refused } = await placeOrder(place, alice, declined);
  const { version } = (await paymentBecomes(place, alice, open.id, "REQUIRES_PAYMENT_METHOD"))
    .order;
  await becomes(place, alice, refused.id, "FAILED");
  await launcher.stop("payment");
  const { order: unborn } = await placeOrder(place, alice);
  const { order: forgotten } = await placeOrder(place, alice);
  await timeIsOver(place, forgotten.id);

  // Sent again by the gateway, too: the version that was seen is the caller's still.
  const seen = { expectedVersion: String(version) };
  const cancel = () =>
    Promise.all([
      cancelOrder(place, alice, open.id, seen),
      cancelOrder(place, alice, unborn.id),
      cancelOrder(place, alice, refused.id),
    ]);
  for (const answer of [...(await cancel()), ...(await cancel())])
    expect(answer).toMatchObject(AWAY);

  expect((await getOrder(place, alice, open.id)).order.status).toBe(OrderStatus.PENDING);
  expect((await getOrder(place, alice, refused.id)).order.status).toBe(OrderStatus.FAILED);
  const inVain = await payOrder(place, alice, refused.id);
  expect(inVain).toMatchObject(UNMET);
  expect(inVain.text).toContain("being cancelled");
  await eventually(async () =>
    expect(await closingOf(forgotten.id)).toEqual([{ closing: "EXPIRED" }]),
  );
  expect(await stripePaymentsOf(place, open.id)).toMatchObject([
    { status: "requires_payment_method" },
  ]);

  await launcher.start("payment");
  for (const { id } of [open, refused, unborn]) await becomes(place, alice, id, "CANCELLED");
  await becomes(place, alice, forgotten.id, "EXPIRED");
  for (const { id } of [unborn, forgotten]) expect(await stripePaymentsOf(place, id)).toEqual([]);
});

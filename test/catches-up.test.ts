// The promise: a service that was away catches up on all it missed, and one that is asked to stop first finishes its work.
import { afterAll, describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../gen/waybill/payment/v1/payment_pb.js";
import { SERVICES } from "../dev/stack/stack-file.ts";
import { takeControl } from "./harness/control.ts";
import { eventually } from "./harness/eventually.ts";
import { ask } from "./harness/http.ts";
import { newCustomer } from "./harness/people.ts";
import { sandboxUrl } from "./harness/place.ts";
import {
  faultsToCome,
  faultsUntilDone,
  inBrowser,
  mailsTo,
  orderFault,
  stripePaymentsOf,
} from "./harness/sandbox.ts";
import { anUnpaidOrder, becomes, placeOrder, postOrder, anOrder } from "./harness/shop.ts";

const SLOW_MS = 1200;

const place = inject("shared");
const launcher = await takeControl(inject("control"));
/** For the tests that follow, should one of these fail half-way. */
afterAll(async () => {
  for (const name of SERVICES) await launcher.start(name);
});

describe("a service that was away", () => {
  test("Notification tells of 20 paid orders by 40 mails, none twice", async () => {
    const alice = await newCustomer(place);
    await launcher.stop("notification");
    const taken = await Promise.all(Array.from({ length: 20 }, () => placeOrder(place, alice)));
    for (const { order } of taken) await becomes(place, alice, order.id, "PAID");
    expect(await mailsTo(place, alice.email)).toEqual([]);

    await launcher.start("notification");

    const wanted = taken.flatMap(({ order }) => [
      `Payment received for your order ${order.number}`,
      `Your order ${order.number}`,
    ]);
    await eventually(async () => {
      const subjects = (await mailsTo(place, alice.email)).map(({ subject }) => subject);
      expect(subjects.toSorted()).toEqual(wanted.toSorted());
    });
  });

  test("Order learns of a payment that Stripe told while it was down", async () => {
    const alice = await newCustomer(place);
    const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
    await launcher.stop("order");
    await inBrowser(place, `pay/${intentOf(payment)}`, { payment_method: "pm_card_visa" });
    await webhooksDelivered();
    const refused = await postOrder(place, alice, anOrder());

    await launcher.start("order");

    await becomes(place, alice, order.id, "PAID");
    await eventually(async () => expect(await mailsTo(place, alice.email)).toHaveLength(2));
    expect(refused.status).toBe(503);
    expect(refused.json).toMatchObject({ code: "unavailable", status: 503 });
    expect(refused.text).not.toMatch(/127\.0\.0\.1|ECONN|connect/i);
  });

  test("Payment charges, once, what was ordered and paid while it was down", async () => {
    const alice = await newCustomer(place);
    const before = await placeOrder(place, alice, anUnpaidOrder());
    await launcher.stop("payment");
    await inBrowser(place, `pay/${intentOf(before.payment)}`, { payment_method: "pm_card_visa" });
    const meanwhile = await placeOrder(place, alice);
    expect(meanwhile.order.status).toBe(OrderStatus.PENDING);
    expect(meanwhile.payment.status).toBe(PaymentStatus.PENDING_INITIATION);

    await launcher.start("payment");

    for (const { order } of [before, meanwhile]) {
      await becomes(place, alice, order.id, "PAID");
      expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
    }
  });
});

test("services that are asked to stop, all at once, first answer the order that they work on, and end with code 0", async () => {
  await using _ = faultsUntilDone(place);
  const alice = await newCustomer(place);
  await orderFault(place, {
    provider: "stripe",
    operation: "payment_intents.create",
    fault: "latency",
    latencyMs: SLOW_MS,
  });
  const asked = postOrder(place, alice, anOrder());
  await eventually(async () => expect(await faultsToCome(place)).toEqual([]));

  await Promise.all(SERVICES.map((name) => launcher.kill(name, "SIGTERM")));

  expect((await asked).status).toBe(200);
  const { order } = (await asked).json as { order: { id: string } };
  for (const name of SERVICES) {
    await eventually(() => serves(name));
    const line = (await launcher.said()).find((said) => said.startsWith(`${name} ended`));
    expect(line).toMatch(/ended with code 0; restarting in \d+ ms/);
  }
  await becomes(place, alice, order.id, "PAID");
  expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
  await eventually(async () => expect(await mailsTo(place, alice.email)).toHaveLength(2));
});

/** Stripe's ID of the payment, which the customer's browser has in its client secret. */
const intentOf = (payment: { clientSecret: string }) => payment.clientSecret.split("_secret_")[0];

async function serves(name: (typeof SERVICES)[number]): Promise<void> {
  const { url } = place.stack.services[name];
  const answer = await ask(`${url}/grpc.health.v1.Health/Check`, { body: {} });
  expect(answer.json).toEqual({ status: "SERVING" });
}

async function webhooksDelivered(): Promise<void> {
  await eventually(async () => {
    const { json } = await ask(`${sandboxUrl(place)}/_/health`);
    expect(json).toMatchObject({ undeliveredEvents: 0 });
  });
}

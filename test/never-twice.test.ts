// The promise: a customer is never charged twice, mailed twice or texted twice, whatever is repeated or lost.
import { randomUUID } from "node:crypto";
import { describe, expect, inject, test } from "vitest";
import {
  NotificationChannel,
  NotificationStatus,
} from "../gen/waybill/notification/v1/notification_pb.js";
import { eventually } from "./harness/eventually.ts";
import { newCustomer, newPhoneNumber } from "./harness/people.ts";
import {
  faultsToCome,
  faultsUntilDone,
  mailsTo,
  orderFault,
  smsTo,
  stripePaymentsOf,
} from "./harness/sandbox.ts";
import {
  anOrder,
  anUnpaidOrder,
  becomes,
  notificationsOf,
  placeOrder,
  postOrder,
} from "./harness/shop.ts";

const place = inject("shared");
const { SENT, AMBIGUOUS } = NotificationStatus;

describe("an idempotency key", () => {
  test("that is repeated gives the same order, charged once", async () => {
    const alice = await newCustomer(place);
    const headers = { "idempotency-key": randomUUID() };

    const first = await placeOrder(place, alice, anOrder(), headers);
    const again = await placeOrder(place, alice, anOrder(), headers);

    expect(again.order.id).toBe(first.order.id);
    expect(await stripePaymentsOf(place, first.order.id)).toMatchObject([{ charges: 1 }]);
  });

  test("that is sent ten times at once gives one order, charged once", async () => {
    const alice = await newCustomer(place);
    const headers = { "idempotency-key": randomUUID() };

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => placeOrder(place, alice, anOrder(), headers)),
    );

    const ids = new Set(answers.map(({ order }) => order.id));
    expect(ids.size).toBe(1);
    const [id = ""] = ids;
    await becomes(place, alice, id, "PAID");
    expect(await stripePaymentsOf(place, id)).toMatchObject([{ charges: 1 }]);
  });

  test("gives the client secret again, which nobody stored", async () => {
    const alice = await newCustomer(place);
    const headers = { "idempotency-key": randomUUID() };

    const first = await placeOrder(place, alice, anUnpaidOrder(), headers);
    const again = await placeOrder(place, alice, anUnpaidOrder(), headers);

    expect(again.payment.clientSecret).toBe(first.payment.clientSecret);
    expect(again.payment.clientSecret).toContain("_secret_");
  });

  test("that was used for another order is refused", async () => {
    const alice = await newCustomer(place);
    const headers = { "idempotency-key": randomUUID() };
    await placeOrder(place, alice, anOrder(), headers);

    const other = anOrder({ items: [{ sku: "grinder", quantity: 1 }] });
    const answer = await postOrder(place, alice, other, { headers });

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      code: "invalid_argument",
      reason: "IDEMPOTENCY_KEY_REUSED",
    });
  });

  test("of one customer says nothing of another's order", async () => {
    const [alice, bob] = [await newCustomer(place), await newCustomer(place)];
    const headers = { "idempotency-key": randomUUID() };

    const hers = await placeOrder(place, alice, anOrder(), headers);
    const his = await placeOrder(place, bob, anOrder(), headers);

    expect(his.order.id).not.toBe(hers.order.id);
    expect(his.order.customerId).toBe(bob.id);
  });
});

describe("answers of the providers that are lost", () => {
  test("charge nobody twice and leave no order unpaid", async () => {
    await using _ = faultsUntilDone(place);
    const alice = await newCustomer(place);
    const lost = { provider: "stripe", operation: "payment_intents.create" };
    await orderFault(place, { ...lost, fault: "execute_then_drop", count: 5 });
    await orderFault(place, { ...lost, fault: "drop", count: 2 });

    const taken = await Promise.all([1, 2, 3].map(() => placeOrder(place, alice)));

    for (const { order } of taken) {
      await becomes(place, alice, order.id, "PAID");
      expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
    }
    expect(await faultsToCome(place)).toEqual([]);
  });

  test("send no mail twice", async () => {
    await using _ = faultsUntilDone(place);
    const alice = await newCustomer(place);
    await orderFault(place, { provider: "resend", fault: "execute_then_drop", count: 2 });

    const { order } = await placeOrder(place, alice);

    await eventually(async () => {
      const told = await notificationsOf(place, alice, order.id);
      expect(told.map(({ status }) => status)).toEqual([SENT, SENT]);
    });
    expect(await mailsTo(place, alice.email)).toHaveLength(2);
    expect(await faultsToCome(place)).toEqual([]);
  });

  test("leave an SMS ambiguous, which is not sent again, and the order is paid all the same", async () => {
    await using _ = faultsUntilDone(place);
    const alice = await newCustomer(place);
    const phoneNumber = newPhoneNumber();
    await orderFault(place, { provider: "twilio", fault: "execute_then_drop", count: 1 });

    const contact = { phoneNumber };
    const { order } = await placeOrder(place, alice, anOrder({ contact }));

    await becomes(place, alice, order.id, "PAID");
    await eventually(async () => {
      const told = await notificationsOf(place, alice, order.id);
      const texts = told.filter(({ channel }) => channel === NotificationChannel.SMS);
      expect(new Set(texts.map(({ status }) => status))).toEqual(new Set([SENT, AMBIGUOUS]));
    });
    expect(await smsTo(place, phoneNumber)).toHaveLength(2);
  });
});

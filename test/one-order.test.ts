// The promise: an order that was taken is priced, charged, paid and confirmed, or the customer hears why not.
import { describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../gen/waybill/payment/v1/payment_pb.js";
import { ask } from "./harness/http.ts";
import { eventually } from "./harness/eventually.ts";
import { newCustomer, newPhoneNumber } from "./harness/people.ts";
import { inBrowser, mailsTo, smsTo, stripePaymentsOf } from "./harness/sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, getOrder, placeOrder } from "./harness/shop.ts";

const PAID_WITHIN_MS = 2000;
const place = inject("shared");

describe("one order", () => {
  test.each(["/v1/orders", "/orders"])("posted to %s is priced, charged and paid", async (path) => {
    const alice = await newCustomer(place);

    const taken = await ask(`${place.stack.gateway}${path}`, {
      token: alice.token,
      body: anOrder(),
    });
    const { order } = taken.json as { order: { id: string } };

    expect(taken.json).toMatchObject({
      order: {
        customerId: alice.id,
        number: expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}$/),
        items: [{ sku: "coffee-beans-1kg", quantity: 2, unitPrice: { minorUnits: "1899" } }],
        total: { currencyCode: "EUR", minorUnits: "3798" },
      },
    });
    await eventually(
      async () => {
        const seen = await ask(`${place.stack.gateway}/v1/orders/${order.id}`, alice);
        expect(seen.json).toMatchObject({ order: { status: "ORDER_STATUS_PAID" } });
      },
      { withinMs: PAID_WITHIN_MS },
    );
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([
      { status: "succeeded", amount: 3798, currency: "eur", charges: 1 },
    ]);
  });

  test("is told by one mail for the order and one for the payment", async () => {
    const alice = await newCustomer(place);

    const { order } = await placeOrder(place, alice);

    const mails = await eventually(async () => {
      const found = await mailsTo(place, alice.email);
      expect(found).toHaveLength(2);
      return found;
    });
    expect(mails.map(({ subject }) => subject).toSorted()).toEqual([
      `Payment received for your order ${order.number}`,
      `Your order ${order.number}`,
    ]);
    for (const { text, html } of mails) {
      expect(text).toContain("€37.98");
      expect(html).toContain("€37.98");
    }
  });

  test("is told by SMS too where there is a phone number, in the customer's language", async () => {
    const alice = await newCustomer(place);
    const phoneNumber = newPhoneNumber();
    const contact = { email: alice.email, phoneNumber, locale: "de-AT" };

    const { order } = await placeOrder(place, alice, anOrder({ contact }));

    await eventually(async () => {
      expect((await smsTo(place, phoneNumber)).toSorted()).toEqual([
        expect.stringContaining(`Ihre Bestellung ${order.number} ist bezahlt`),
        expect.stringContaining(`Vielen Dank für Ihre Bestellung ${order.number}`),
      ]);
      expect(await mailsTo(place, alice.email)).toHaveLength(2);
    });
    expect((await mailsTo(place, alice.email)).map(({ subject }) => subject)).toContain(
      `Ihre Bestellung ${order.number}`,
    );
  });

  test("with a card that is declined is FAILED, and its mail says so", async () => {
    const alice = await newCustomer(place);

    const { order } = await placeOrder(
      place,
      alice,
      anOrder({ paymentMethod: "pm_card_chargeDeclined" }),
    );

    const { payment } = await becomes(place, alice, order.id, "FAILED");
    expect(payment).toMatchObject({
      status: PaymentStatus.FAILED,
      declineCode: "generic_decline",
    });
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 0 }]);
    await eventually(async () => {
      const subjects = (await mailsTo(place, alice.email)).map(({ subject }) => subject);
      expect(subjects.toSorted()).toEqual([
        `Payment refused for your order ${order.number}`,
        `Your order ${order.number}`,
      ]);
    });
  });

  test("without a payment method waits for the customer, whose payment a webhook tells", async () => {
    const alice = await newCustomer(place);

    const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
    expect(order.status).toBe(OrderStatus.PENDING);
    expect(payment.status).toBe(PaymentStatus.REQUIRES_PAYMENT_METHOD);
    const [intent] = payment.clientSecret.split("_secret_");
    expect((await getOrder(place, alice, order.id)).payment.clientSecret).toBe("");

    await inBrowser(place, `pay/${intent}`, { payment_method: "pm_card_visa" });

    await becomes(place, alice, order.id, "PAID");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
  });

  test("with a card that asks for 3-D Secure is PENDING until the customer passes it", async () => {
    const alice = await newCustomer(place);

    const { order, payment } = await placeOrder(
      place,
      alice,
      anOrder({ paymentMethod: "pm_card_authenticationRequired" }),
    );
    expect(order.status).toBe(OrderStatus.PENDING);
    expect(payment.status).toBe(PaymentStatus.REQUIRES_ACTION);
    const [intent] = payment.clientSecret.split("_secret_");

    await inBrowser(place, `3ds/${intent}/succeed`);

    await becomes(place, alice, order.id, "PAID");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charges: 1 }]);
  });
});

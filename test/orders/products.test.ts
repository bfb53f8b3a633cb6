// The promise: the price book decides what an order costs, in every currency, and what was sold keeps its price.
import { randomUUID } from "node:crypto";
import { describe, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
import { type Answer, ask } from "../harness/http.ts";
import { newCustomer, type Person } from "../harness/people.ts";
import { query } from "../harness/rows.ts";
import { mailsTo, stripePaymentsOf } from "../harness/sandbox.ts";
import { becomes, getOrder, placeOrder, postOrder } from "../harness/shop.ts";

const place = inject("shared");
const operator = place.stack.tokens.operator;
const MOST = 99_999_999;

/** A sku that no other test sells. */
const aSku = () => `test-${randomUUID()}`;

const money = (currencyCode: string, minorUnits: number) => ({
  currencyCode,
  minorUnits: String(minorUnits),
});

function putProduct(
  sku: string,
  unitPrice: ReturnType<typeof money>,
  token: string | undefined = operator,
): Promise<Answer> {
  return ask(`${place.stack.gateway}/v1/products/${sku}`, {
    method: "PUT",
    ...(token !== "" && { token }),
    body: { name: "A thing", unitPrice },
  });
}

async function sell(currency: string, minorUnits: number): Promise<string> {
  const sku = aSku();
  const answer = await putProduct(sku, money(currency, minorUnits));
  expect(answer.status).toBe(200);
  return sku;
}

const orderOf = (sku: string, quantity = 1, more: Readonly<Record<string, unknown>> = {}) => ({
  items: [{ sku, quantity }],
  paymentMethod: "pm_card_visa",
  ...more,
});

const ordersOf = async ({ id }: Person) =>
  await query(place, "order", "select id from orders where customer_id = $1", [id]);

describe.concurrent("the price book", () => {
  test("is read by everybody, in pages, and written by operators alone", async () => {
    const url = `${place.stack.gateway}/v1/products`;
    const first = (await ask(`${url}?pageSize=2`)).json as {
      products: { sku: string }[];
      nextPageToken: string;
    };
    const next = (await ask(`${url}?pageSize=2&pageToken=${first.nextPageToken}`)).json;
    const skus = [first, next as typeof first].flatMap(({ products }) =>
      products.map((p) => p.sku),
    );
    expect(skus).toHaveLength(4);
    expect(skus).toEqual(skus.toSorted());
    expect(new Set(skus).size).toBe(4);

    const alice = await newCustomer(place);
    const sku = aSku();
    expect((await putProduct(sku, money("EUR", 100), "")).status).toBe(401);
    expect((await putProduct(sku, money("EUR", 100), alice.token)).status).toBe(403);
    expect((await postOrder(place, alice, orderOf(sku))).status).toBe(400);
    expect(await putProduct(sku, money("EUR", 100))).toMatchObject({
      status: 200,
      json: { product: { sku, name: "A thing", unitPrice: money("EUR", 100) } },
    });
  });

  test.each([
    ["nothing", money("EUR", 0), "unitPrice.minorUnits"],
    ["less than nothing", money("EUR", -1), "unitPrice.minorUnits"],
    ["more than the limit", money("EUR", MOST + 1), "unitPrice.minorUnits"],
    ["a currency that does not exist", money("XQZ", 100), "unitPrice.currencyCode"],
    ["no currency", money("", 100), "unitPrice.currencyCode"],
  ])("takes no price of %s", async (_what, unitPrice, field) => {
    expect(await putProduct(aSku(), unitPrice)).toMatchObject({
      status: 400,
      json: { code: "invalid_argument", violations: [{ field }] },
    });
  });

  test("that changes changes no order that was taken, nor its repetition", async () => {
    const alice = await newCustomer(place);
    const sku = await sell("EUR", 1000);
    const headers = { "idempotency-key": randomUUID() };
    const { order } = await placeOrder(place, alice, orderOf(sku, 2), headers);
    await putProduct(sku, money("USD", 5000));

    const again = await placeOrder(place, alice, orderOf(sku, 2), headers);
    const other = await placeOrder(place, alice, orderOf(sku, 2));

    expect(again.order).toMatchObject({ id: order.id, total: { minorUnits: 2000n } });
    const { order: seen } = await becomes(place, alice, order.id, "PAID");
    expect(seen.items).toMatchObject([{ name: "A thing", unitPrice: { minorUnits: 1000n } }]);
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([
      { charged: 2000, currency: "eur" },
    ]);
    expect(other.order.total).toMatchObject({ currencyCode: "USD", minorUnits: 10_000n });
  });
});

describe.concurrent("an expected total", () => {
  test("that is the price book's is taken", async () => {
    const alice = await newCustomer(place);
    const sku = await sell("EUR", 1000);

    const expectedTotal = money("EUR", 3000);
    const { order } = await placeOrder(place, alice, orderOf(sku, 3, { expectedTotal }));

    expect(order.total?.minorUnits).toBe(3000n);
  });

  test.each([
    ["another price", money("EUR", 2700)],
    ["another currency", money("USD", 3000)],
  ])("of %s is refused with both totals, and nothing is stored", async (_what, expectedTotal) => {
    const alice = await newCustomer(place);
    const sku = await sell("EUR", 1000);

    const answer = await postOrder(place, alice, orderOf(sku, 3, { expectedTotal }));

    expect(answer).toMatchObject({
      status: 400,
      json: {
        code: "failed_precondition",
        reason: "PRICE_CHANGED",
        violations: [{ field: "expectedTotal" }],
      },
    });
    expect(answer.text).toContain("3000 minor units of EUR");
    const { minorUnits, currencyCode } = expectedTotal;
    expect(answer.text).toContain(`${minorUnits} of ${currencyCode}`);
    expect(await ordersOf(alice)).toEqual([]);
  });
});

describe.concurrent("an order in", () => {
  test.each([
    { what: "JPY, without decimals,", currency: "JPY", price: 1200, charged: 1200, told: "¥1,200" },
    {
      what: "EUR, with two decimals,",
      currency: "EUR",
      price: 1999,
      charged: 1999,
      told: "€19.99",
    },
    {
      what: "KWD, with three decimals,",
      currency: "KWD",
      price: 4550,
      charged: 4550,
      told: "KWD 4.550",
    },
    {
      what: "BHD, with three decimals,",
      currency: "BHD",
      price: 120,
      charged: 120,
      told: "BHD 0.120",
    },
    {
      what: "ISK, which Stripe counts in hundredths,",
      currency: "ISK",
      price: 500,
      charged: 50_000,
      told: "ISK 500",
    },
  ])("$what is charged and told to the last unit", async ({ currency, price, charged, told }) => {
    const alice = await newCustomer(place);
    const { order } = await placeOrder(place, alice, orderOf(await sell(currency, price)));

    const paid = await becomes(place, alice, order.id, "PAID");

    expect(paid.order.total).toMatchObject({ currencyCode: currency, minorUnits: BigInt(price) });
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([
      { amount: charged, charged, currency: currency.toLowerCase() },
    ]);
    const mails = await eventually(async () => {
      const found = await mailsTo(place, alice.email);
      expect(found).toHaveLength(2);
      return found;
    });
    for (const { text, html } of mails) {
      expect(text).toContain(told);
      expect(html).toContain(told);
    }
  });

  test("KWD that is finer than Stripe takes it is FAILED, and says why", async () => {
    const alice = await newCustomer(place);
    const { order, payment } = await placeOrder(place, alice, orderOf(await sell("KWD", 4501)));
    expect(payment).toMatchObject({
      status: PaymentStatus.FAILED,
      declineCode: "amount_not_chargeable",
    });

    await becomes(place, alice, order.id, "FAILED");

    expect((await getOrder(place, alice, order.id)).payment.declineCode).toBe(
      "amount_not_chargeable",
    );
    expect(await stripePaymentsOf(place, order.id)).toEqual([]);
  });

  test("two currencies is refused", async () => {
    const alice = await newCustomer(place);
    const items = [
      { sku: "coffee-beans-1kg", quantity: 1 },
      { sku: "tea-sencha", quantity: 1 },
    ];

    expect(await postOrder(place, alice, { items })).toMatchObject({
      status: 400,
      json: { code: "invalid_argument", violations: [{ field: "items[1].sku" }] },
    });
  });
});

describe.concurrent("the most that an order may cost", () => {
  test("is charged, and one unit more is refused and stored nowhere", async () => {
    const [alice, bob] = [await newCustomer(place), await newCustomer(place)];
    const [most, one] = [await sell("EUR", MOST), await sell("EUR", 1)];

    const { order } = await placeOrder(place, alice, orderOf(most));
    const over = [orderOf(most, 2), { items: [most, one].map((sku) => ({ sku, quantity: 1 })) }];

    for (const body of over) {
      expect(await postOrder(place, bob, body)).toMatchObject({
        status: 400,
        json: { code: "invalid_argument", violations: [{ field: "items" }] },
      });
    }
    expect(await ordersOf(bob)).toEqual([]);
    await becomes(place, alice, order.id, "PAID");
    expect(await stripePaymentsOf(place, order.id)).toMatchObject([{ charged: MOST }]);
  });
});

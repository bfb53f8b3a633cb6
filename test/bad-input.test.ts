// The promise: what cannot be served is refused with its status, a problem that says why, and leaves nothing behind.
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { ask, type Answer } from "./harness/http.ts";
import { newCustomer, type Person } from "./harness/people.ts";
import { leaksNothing, rowsOf } from "./harness/bad-input.ts";
import { anOrder, placeOrder, postOrder } from "./harness/shop.ts";

const place = inject("shared");
const { gateway } = place.stack;
const LIMIT_BYTES = 1024 * 1024;

let alice: Person;
let answer: Answer | undefined;
beforeEach(async () => {
  alice = await newCustomer(place);
  answer = undefined;
});
/** Whatever was refused: nothing of this customer is stored, and the answer is a problem that shows no insides. */
afterEach(async () => {
  if (answer === undefined) return;
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.json).toMatchObject({
    type: "about:blank",
    title: expect.any(String),
    status: answer.status,
    code: expect.stringMatching(/^[a-z_]+$/),
    detail: expect.stringMatching(/.{5,}/),
    request_id: answer.headers.get("x-request-id"),
  });
  leaksNothing(answer.text);
  expect(await rowsOf(place, alice.id)).toEqual({ orders: 0, requests: 0, payments: 0, mails: 0 });
});

const items = (...lines: unknown[]) => ({ items: lines });
const beans = { sku: "coffee-beans-1kg", quantity: 1 };

describe("an order", () => {
  test.each([
    ["of an unknown product", items({ sku: "unicorn", quantity: 1 }), "items[0].sku"],
    [
      "whose second product is unknown",
      items(beans, { sku: "unicorn", quantity: 1 }),
      "items[1].sku",
    ],
    ["in two currencies", items(beans, { sku: "tea-sencha", quantity: 1 }), "items[1].sku"],
    ["of none", items({ ...beans, quantity: 0 }), "items[0].quantity"],
    ["of fewer than none", items({ ...beans, quantity: -1 }), "items[0].quantity"],
    ["of 10,000", items({ ...beans, quantity: 10_000 }), "items[0].quantity"],
    [
      "of more than Stripe takes",
      items({ sku: "grinder", quantity: 9999 }, { sku: "grinder", quantity: 9999 }),
      "items",
    ],
    ["without items", items(), "items"],
    ["that is empty", {}, "items"],
    ["with a field that there is not", { ...anOrder(), price: 1 }, "price"],
    ["with a price of the customer's own", items({ ...beans, unitPrice: 1 }), "items[0].unitPrice"],
    ["of a text", items({ ...beans, quantity: "many" }), "items[0].quantity"],
    ["of a part", items({ ...beans, quantity: 1.5 }), "items[0].quantity"],
    ["whose items are no list", { items: "beans" }, "items"],
    ["with no sku", items({ quantity: 1 }), "items[0].sku"],
    [
      "with a sku of other signs",
      items({ ...beans, sku: "'; drop table orders; --" }),
      "items[0].sku",
    ],
    ["with a wrong address", { ...anOrder(), contact: { email: "nobody" } }, "contact.email"],
    [
      "with a wrong phone number",
      { ...anOrder(), contact: { phoneNumber: "0151" } },
      "contact.phoneNumber",
    ],
    ["with a card number", { ...anOrder(), paymentMethod: "4242424242424242" }, "paymentMethod"],
  ])("%s is refused, and the field is named", async (_, body, field) => {
    answer = await postOrder(place, alice, body);

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: "invalid_argument" });
    const { violations } = answer.json as { violations?: { field: string; message: string }[] };
    expect(violations?.map((violation) => violation.field)).toContain(field);
  });

  test.each([
    ["malformed JSON", '{"items": ['],
    ["no JSON at all", "items=beans"],
    ["a list", "[]"],
    ["a word", '"beans"'],
    ["nothing", "null"],
    ["bytes that are no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ["a field twice", '{"items":[],"items":[{"sku":"grinder","quantity":1}]}'],
    ["nested without end", "[".repeat(100_000)],
  ])("of %s is refused", async (_, body) => {
    answer = await postOrder(place, alice, body);

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: "invalid_argument" });
  });

  test("without an e-mail address anywhere is refused", async () => {
    const { token } = await newCustomer(place, { email: undefined, sub: alice.id });

    answer = await ask(`${gateway}/v1/orders`, { token, body: anOrder() });

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ violations: [{ field: "contact.email" }] });
  });

  test("over the limit of a body is refused as too large", async () => {
    answer = await postOrder(place, alice, { ...anOrder(), x: "x".repeat(LIMIT_BYTES) });

    expect(answer.status).toBe(413);
  });

  test("in another format is refused", async () => {
    const headers = { "content-type": "application/xml" };

    answer = await postOrder(place, alice, "<order/>", { headers });

    expect(answer.status).toBe(415);
  });

  test.each([
    ["too long", "k".repeat(129)],
    ["with a space", "a key"],
  ])("under an idempotency key that is %s is refused", async (_, key) => {
    answer = await postOrder(place, alice, anOrder(), { headers: { "idempotency-key": key } });

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: "invalid_argument" });
  });
});

describe("a request", () => {
  test.each([
    "/v1/nothing",
    "/",
    "/v2/orders",
    "/v1/orders/",
    "/waybill.order.v1.OrderService/Nothing",
  ])("to %s, which is no route, is NOT_FOUND", async (path) => {
    answer = await ask(`${gateway}${path}`, { token: alice.token });

    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ code: "not_found" });
  });

  test.each([
    ["PUT", "/v1/orders", ["GET", "POST"]],
    ["DELETE", "/v1/orders", ["GET", "POST"]],
    ["GET", "/orders", ["POST"]],
    ["PATCH", `/v1/orders/${randomUUID()}`, ["GET"]],
    ["POST", "/v1/products", ["GET"]],
  ])("%s %s, a wrong method, hears which are right", async (method, path, allowed) => {
    answer = await ask(`${gateway}${path}`, { method, token: alice.token });

    expect(answer.status).toBe(405);
    const allow = (answer.headers.get("allow") ?? "").split(", ");
    expect(allow).toEqual(expect.arrayContaining(allowed));
    expect(allow).not.toContain(method);
  });

  test.each([
    ["half a percent sign", "/v1/orders/%4"],
    ["no hexadecimal digits", "/v1/orders/%zz"],
    ["no UTF-8", "/v1/orders/%ff"],
    ["no UUID", "/v1/orders/7"],
    ["SQL", "/v1/orders/'%20or%20'1'='1"],
  ])("for an order whose ID is %s is refused", async (_, path) => {
    answer = await ask(`${gateway}${path}`, { token: alice.token });

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: "invalid_argument" });
  });

  test.each([
    ["a parameter that there is not", "?color=red"],
    ["a size that is no number", "?pageSize=many"],
    ["a negative size", "?pageSize=-1"],
    ["a page token of its own making", "?pageToken=AAAA"],
  ])("for a list with %s is refused", async (_, search) => {
    answer = await ask(`${gateway}/v1/orders${search}`, { token: alice.token });

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: "invalid_argument" });
  });

  test("for someone else's order is NOT_FOUND, as for one that there is not", async () => {
    const bob = await newCustomer(place);
    const { order } = await placeOrder(place, bob);

    answer = await ask(`${gateway}/v1/orders/${order.id}`, { token: alice.token });
    const absent = await ask(`${gateway}/v1/orders/${randomUUID()}`, { token: alice.token });

    expect(answer.status).toBe(404);
    expect(absent.status).toBe(404);
    expect(Object.keys(absent.json ?? {})).toEqual(Object.keys(answer.json ?? {}));
  });
});

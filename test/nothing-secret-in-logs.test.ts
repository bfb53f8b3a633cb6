// The promise: neither a card number, nor a secret, nor an address of a customer gets into the logs of the services, nor back into an answer.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { describe, expect, inject, test } from "vitest";
import {
  CreateOrderRequestSchema,
  OrderService,
} from "../gen/waybill/order/v1/order_service_pb.js";
import { SERVICES } from "../dev/stack/stack-file.ts";
import { eventually } from "./harness/eventually.ts";
import { callOverGrpc } from "./harness/grpc.ts";
import { ask, type Answer } from "./harness/http.ts";
import { newCustomer, newPhoneNumber } from "./harness/people.ts";
import { mailsTo } from "./harness/sandbox.ts";
import { anOrder, anUnpaidOrder, placeOrder, postOrder } from "./harness/shop.ts";

const place = inject("shared");
const { gateway, services, tokens } = place.stack;
/** One that no other test sends, as it is and in groups. */
const CARD = "4000056655665556";
const GROUPED = "4000 0566 5566 5556";
const CONNECT = "waybill.order.v1.OrderService/CreateOrder";
const WAY_OUT = "must not be a card number: pass a payment method of Stripe, pm_…";

const alice = await newCustomer(place);

/** All that the services have logged, those before a restart too. */
const logs = (): string =>
  SERVICES.map((name) => readFileSync(join(place.home, "logs", `${name}.log`), "utf8")).join("\n");

/** Waits until the call is in the log: what was to be logged before it is there, too. */
const logged = async (answer: Answer): Promise<string> =>
  await eventually(() => {
    const requestId = answer.headers.get("x-request-id") ?? "none";
    const text = logs();
    if (!text.includes(requestId)) throw new Error(`${requestId} is not logged yet`);
    return text;
  });

const inContact = (contact: object) => ({ ...anOrder(), contact });

describe("a card number is refused with the field and the way out, and is neither answered nor logged", () => {
  test.each([
    ["payment_method", "paymentMethod", { ...anOrder(), paymentMethod: CARD }],
    ["an address", "contact.email", inContact({ email: CARD })],
    ["a locale, in groups", "contact.locale", inContact({ locale: GROUPED })],
    [
      "an amount",
      "expectedTotal.minorUnits",
      { ...anOrder(), expectedTotal: { currencyCode: "EUR", minorUnits: CARD } },
    ],
    [
      "an amount that is a number",
      "expectedTotal.minorUnits",
      { ...anOrder(), expectedTotal: { currencyCode: "EUR", minorUnits: Number(CARD) } },
    ],
    [
      "a currency",
      "expectedTotal.currencyCode",
      { ...anOrder(), expectedTotal: { currencyCode: GROUPED, minorUnits: "1" } },
    ],
  ])("as %s, over the gateway's JSON", async (_, field, body) => {
    const answer = await postOrder(place, alice, body);

    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      code: "invalid_argument",
      violations: [{ field, message: WAY_OUT }],
    });
    expect(answer.text).not.toMatch(/4000 ?0566/);
    expect(await logged(answer)).not.toMatch(/4000 ?0566/);
  });

  test("as a page token of a list, in the query", async () => {
    const url = `${gateway}/v1/orders?pageToken=${encodeURIComponent(GROUPED)}`;

    const answer = await ask(url, { token: alice.token });

    expect(answer.json).toMatchObject({ violations: [{ field: "pageToken", message: WAY_OUT }] });
    expect(answer.text).not.toContain("0566");
  });

  test("over Connect's JSON and over gRPC, at the service and at the gateway", async () => {
    const request = { ...anOrder(), requestId: randomUUID(), paymentMethod: CARD };
    for (const url of [gateway, services.order.url]) {
      const answer = await ask(`${url}/${CONNECT}`, { token: alice.token, body: request });

      expect(answer.json).toMatchObject({
        code: codeToString(Code.InvalidArgument),
        message: `payment_method: ${WAY_OUT}`,
      });
      const { createOrder } = OrderService.method;
      const inBinary = create(CreateOrderRequestSchema, {
        requestId: request.requestId,
        paymentMethod: CARD,
      });
      await expect(callOverGrpc(url, createOrder, inBinary, alice.token)).rejects.toMatchObject({
        code: Code.InvalidArgument,
        message: expect.stringMatching(/payment_method.* must not be a card number/),
      });
    }
    expect(logs()).not.toContain(CARD);
  });

  test("in a product's name, and in a mail", async () => {
    const token = tokens.operator;
    const product = { name: GROUPED, unitPrice: { currencyCode: "EUR", minorUnits: "1" } };
    const mail = { requestId: randomUUID(), to: alice.email, subject: CARD, text: "hello" };

    const put = await ask(`${gateway}/v1/products/card`, { method: "PUT", token, body: product });
    const sent = await ask(`${gateway}/v1/notifications:sendEmail`, { token, body: mail });

    expect(put.json).toMatchObject({ violations: [{ field: "name", message: WAY_OUT }] });
    expect(sent.json).toMatchObject({ violations: [{ field: "subject", message: WAY_OUT }] });
  });
});

describe("wherever else a card number is sent to, it comes back in no answer and no log", () => {
  const body = JSON.stringify(anOrder());
  test.each([
    ["the name of a field", "/v1/orders", { body: { [CARD]: 1 } }],
    ["a name given twice", "/v1/orders", { body: `{"${CARD}":1,"${CARD}":2}` }],
    ["the wrong type", "/v1/orders", { body: { items: CARD } }],
    ["what is no JSON", "/v1/orders", { body: `{"items": ${GROUPED}` }],
    ["the name of a parameter", `/v1/orders?${CARD}=1`, {}],
    ["a path", `/v1/orders/${CARD}`, {}],
    ["a path that is no route", `/v1/${CARD}`, {}],
    ["a header", "/v1/orders", { body, headers: { "x-card": CARD, "content-type": "text/plain" } }],
    ["the name of the request", "/v1/nothing", { headers: { "x-request-id": CARD } }],
    ["another type over Connect", `/${CONNECT}`, { body: { items: [{ sku: 1, quantity: CARD }] } }],
    ["a name over Connect", `/${CONNECT}`, { body: { [CARD]: 1 } }],
    ["no JSON over Connect", `/${CONNECT}`, { body: `{"requestId": ${GROUPED}` }],
  ])("%s", async (_, path, question) => {
    const answer = await ask(`${gateway}${path}`, { token: alice.token, ...question });

    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toMatch(/4000 ?0566/);
    expect(logs()).not.toMatch(/4000 ?0566/);
  });
});

test("a phone number, a key and a sku may look like a card number", async () => {
  // An Idempotency-Key is whatever its caller counts by; it is kept, and compared, and is nobody's card.
  const phoneNumber = "+4915112345675";
  const order = { ...anUnpaidOrder(), contact: { email: alice.email, phoneNumber } };
  const unknown = { items: [{ sku: "4006381333931", quantity: 1 }] };

  const placed = await postOrder(place, alice, order, { headers: { "idempotency-key": CARD } });
  const refused = await postOrder(place, alice, unknown);

  expect(placed.status).toBe(200);
  expect(refused.json).toMatchObject({ violations: [{ field: "items[0].sku" }] });
  expect(refused.text).not.toContain("card number");
  expect(await logged(placed)).not.toContain(CARD);
});

test("the life of an order is logged without its client secret, its mail and its phone number", async () => {
  const customer = await newCustomer(place);
  const phoneNumber = newPhoneNumber();
  const contact = { email: customer.email, phoneNumber };
  const { payment } = await placeOrder(place, customer, { ...anUnpaidOrder(), contact });
  await eventually(async () => {
    expect(await mailsTo(place, customer.email)).not.toEqual([]);
  });

  const text = logs();

  expect(payment.clientSecret).toMatch(/_secret_/);
  expect(text).not.toContain(payment.clientSecret.split("_secret_")[1]);
  expect(text).not.toContain(customer.email);
  expect(text).not.toContain(phoneNumber);
  expect(text).not.toContain(customer.token);
  expect(text).not.toMatch(/sk_test_sandbox|whsec_/);
});

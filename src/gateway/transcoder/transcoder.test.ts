// A contract, served: its routes, its JSON, and the rules that are refused at start.
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { CatalogService } from "../../../gen/waybill/order/v1/catalog_service_pb.js";
import {
  GetOrderResponseSchema,
  OrderService,
} from "../../../gen/waybill/order/v1/order_service_pb.js";
import { OrderStatus } from "../../../gen/waybill/order/v1/order_pb.js";
import { PaymentService } from "../../../gen/waybill/payment/v1/payment_service_pb.js";
import { NotificationService } from "../../../gen/waybill/notification/v1/notification_service_pb.js";
import { TranscoderError } from "./error.ts";
import { ask, libraryWith, recording } from "./library.fixture.ts";

const waybill = [OrderService, CatalogService, PaymentService, NotificationService];
const order = "/v1/orders/0198c0de-0000-7000-8000-000000000000";

describe("the contract of Waybill", () => {
  it("is served by its HTTP rules, additional ones too", () => {
    const { transcoder } = recording(waybill);
    const lines = transcoder.routes.map(
      (route) => `${route.httpMethod} ${route.template} ${route.rpc}`,
    );
    expect(lines).toContain("POST /v1/orders waybill.order.v1.OrderService/CreateOrder");
    expect(lines).toContain("POST /orders waybill.order.v1.OrderService/CreateOrder");
    expect(lines).toContain(
      "GET /v1/orders/{order_id}/payment waybill.payment.v1.PaymentService/CheckPaymentStatus",
    );
  });

  it("takes an order as JSON", async () => {
    const { transcoder, calls } = recording(waybill);
    const json =
      '{"items":[{"sku":"TEA","quantity":2}],"paymentMethod":"pm_card_visa","contact":{"email":"a@b.example"}}';
    const answer = await ask(transcoder, { url: "/orders", json });
    expect(answer.status).toBe(200);
    expect(calls).toMatchObject([
      {
        rpc: "CreateOrder",
        request: {
          items: [{ sku: "TEA", quantity: 2 }],
          paymentMethod: "pm_card_visa",
          contact: { email: "a@b.example" },
        },
      },
    ]);
  });

  it("answers in ProtoJSON: enums by name, 64-bit integers as strings, defaults left out", async () => {
    const message = create(GetOrderResponseSchema, {
      order: {
        id: "1",
        status: OrderStatus.PAID,
        total: { currencyCode: "EUR", minorUnits: 1999n },
      },
    });
    const { transcoder } = recording(waybill, { invoke: () => Promise.resolve({ message }) });
    const answer = await ask(transcoder, { url: order });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json).toEqual({
      order: {
        id: "1",
        status: "ORDER_STATUS_PAID",
        total: { currencyCode: "EUR", minorUnits: "1999" },
      },
    });
  });
});

describe("the gateway's defaults", () => {
  it("fill the request in, or refuse it", async () => {
    const { transcoder, calls } = recording(waybill, {
      requestDefaults: (method, request, headers) => {
        const key = headers.get("idempotency-key") ?? "";
        if (key === "bad") throw new TranscoderError("invalid_argument", "The key is bad.");
        if (method.name === "CreateOrder") Object.assign(request, { requestId: key });
      },
    });
    await ask(transcoder, { url: "/v1/orders", json: "{}", headers: { "idempotency-key": "k1" } });
    expect(calls[0]?.request).toMatchObject({ requestId: "k1" });
    const bad = await ask(transcoder, {
      url: "/v1/orders",
      json: "{}",
      headers: { "idempotency-key": "bad" },
    });
    expect(bad.json).toMatchObject({ status: 400, detail: "The key is bad." });
  });
});

type Rules = Parameters<typeof libraryWith>[0];
const wrongRules: readonly [what: string, rules: Rules, why: RegExp][] = [
  [
    "two rules for the same requests",
    {
      A: { pattern: { case: "get", value: "/a/{name}" } },
      B: { pattern: { case: "get", value: "/a/*" } },
    },
    /Library\/B .*Library\/A/,
  ],
  [
    "a variable that is no field",
    { A: { pattern: { case: "get", value: "/{nope}" } } },
    /Library\/A: .*nope is not a field/,
  ],
  [
    "a variable that is a list",
    { A: { pattern: { case: "get", value: "/{tags}" } } },
    /tags is not a single value/,
  ],
  [
    "a variable that is a message",
    { A: { pattern: { case: "get", value: "/{book}" } } },
    /book is not a single value/,
  ],
  [
    "a body that is no field",
    { A: { pattern: { case: "post", value: "/a" }, body: "nope" } },
    /body "nope" is not a field/,
  ],
  [
    "a response body that is no field",
    { A: { pattern: { case: "get", value: "/a" }, responseBody: "nope" } },
    /response_body "nope"/,
  ],
  ["no pattern", { A: { body: "*" } }, /no pattern/],
];

describe("a contract that cannot be served is refused at start", () => {
  it.each(wrongRules)("%s", (_, rules, why) => {
    expect(() => recording([libraryWith(rules)])).toThrow(why);
  });
});

describe("rules beyond the five methods", () => {
  const service = libraryWith({
    Search: { pattern: { case: "custom", value: { kind: "SEARCH", path: "/books" } } },
    Any: { pattern: { case: "custom", value: { kind: "*", path: "/any" } } },
    Tags: { pattern: { case: "get", value: "/tags" }, responseBody: "tags" },
    Author: { pattern: { case: "get", value: "/author" }, responseBody: "author" },
    Time: { pattern: { case: "get", value: "/time" }, responseBody: "publish_time" },
  });

  it("take a method of their own, or any", async () => {
    const { transcoder, calls } = recording([service]);
    await ask(transcoder, { method: "SEARCH", url: "/books" });
    await ask(transcoder, { method: "OPTIONS", url: "/any" });
    expect(calls.map((call) => call.rpc)).toEqual(["Search", "Any"]);
  });

  it.each([
    ["/tags", "[]"],
    ["/author", "{}"],
    ["/time", "null"],
  ])("answer one field of the response: %s", async (url, text) => {
    const { transcoder } = recording([service]);
    expect(await ask(transcoder, { url })).toMatchObject({ status: 200, text });
  });
});

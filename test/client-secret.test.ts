// The promise: the secret with which an order is paid is told to its customer when he pays, to nobody else, and written down nowhere.
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { STORES } from "../dev/backends/databases.ts";
import { NotificationService } from "../gen/waybill/notification/v1/notification_service_pb.js";
import { NotificationEventSchema } from "../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { OrderService } from "../gen/waybill/order/v1/order_service_pb.js";
import { PaymentEventSchema } from "../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentService } from "../gen/waybill/payment/v1/payment_service_pb.js";
import { PaymentStatusEventSchema } from "../gen/waybill/payment/v1/payment_status_event_pb.js";
import { TimelineSourceService } from "../gen/waybill/timeline/v1/timeline_source_service_pb.js";
import { call, callersOf } from "./harness/callers.ts";
import { eventually } from "./harness/eventually.ts";
import { newCustomer, type Person } from "./harness/people.ts";
import { query } from "./harness/rows.ts";
import { inBrowser } from "./harness/sandbox.ts";
import { anUnpaidOrder, becomes, getOrder, placeOrder } from "./harness/shop.ts";
import { openTopics } from "./harness/topics.ts";

const place = inject("shared");
const { services } = place.stack;
const requestId = randomUUID();

let alice: Person;
let bob: Person;
let orderId: string;
let paymentId: string;
let secret: string;
let amount: JsonObject;
beforeAll(async () => {
  [alice, bob] = [await newCustomer(place), await newCustomer(place)];
  const headers = { "idempotency-key": requestId };
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder(), headers);
  ({ id: orderId } = order);
  ({ id: paymentId, clientSecret: secret } = payment);
  expect(secret).toMatch(/^pi_.+_secret_.+/);
  amount = {
    currencyCode: order.total?.currencyCode ?? "",
    minorUnits: String(order.total?.minorUnits),
  };
  await eventually(async () =>
    expect((await getOrder(place, alice, orderId)).payment.id).toBe(paymentId),
  );
});

const { listTimelineEntries } = TimelineSourceService.method;
/** Whatever answers with an order, a payment, or what is told of them. */
const answers: readonly (readonly [
  "order" | "payment" | "notification",
  DescMethod,
  () => JsonObject,
])[] = [
  ["order", OrderService.method.getOrder, () => ({ orderId })],
  ["order", OrderService.method.listOrders, () => ({})],
  ["order", OrderService.method.watchOrder, () => ({ orderId })],
  ["payment", PaymentService.method.checkPaymentStatus, () => ({ paymentId })],
  ["payment", PaymentService.method.checkPaymentStatus, () => ({ orderId })],
  ["payment", PaymentService.method.listPayments, () => ({ customerId: alice.id })],
  ["notification", NotificationService.method.listNotifications, () => ({ orderId })],
  ["order", listTimelineEntries, () => ({ orderId })],
  ["payment", listTimelineEntries, () => ({ orderId })],
  ["notification", listTimelineEntries, () => ({ orderId })],
];
const initiated = () => ({ orderId, attemptNumber: 1, customerId: alice.id, amount });
const callers = callersOf(place, { owner: () => alice, other: () => bob });

test("is in the answers to its customer's calls to create and to pay the order, each time", async () => {
  const again = { ...anUnpaidOrder(), requestId } as JsonObject;
  const pay = { orderId, requestId: randomUUID() };
  const url = services.gateway.url;

  const created = await call(url, OrderService.method.createOrder, again, alice.token);
  const paid = await call(url, OrderService.method.payOrder, pay, alice.token);

  for (const { text } of [created, paid]) expect(text).toContain(secret);
});

describe.each(Object.keys(callers))("asked for by %s", (name) => {
  test("is in no other answer", async () => {
    for (const [service, method, request] of answers) {
      const token = await callers[name]?.token(service);

      const { text } = await call(services[service].url, method, request(), token);

      expect(text).not.toContain("_secret_");
    }
  });

  test("is passed on by Payment only to who acts for the order's customer", async () => {
    const url = services.payment.url;
    const token = await callers[name]?.token("payment");

    const { text } = await call(url, PaymentService.method.initiatePayment, initiated(), token);

    const isPassedOn = name === "the service order for its owner";
    expect(text.includes(secret)).toBe(isPassedOn);
  });
});

describe("when the order is paid, it is written", () => {
  beforeAll(async () => {
    const [intent] = secret.split("_secret_");
    await inBrowser(place, `pay/${intent}`, { payment_method: "pm_card_visa" });
    await becomes(place, alice, orderId, "PAID");
  });

  test.each(STORES)("into no table of %s", async (store) => {
    const tables = await query<{ name: string }>(
      place,
      store,
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(5);
    const hex = Buffer.from(secret).toString("hex");
    for (const { name } of tables) {
      const text = `select * from ${name} as t where t::text like $1 or t::text like $2`;
      expect(await query(place, store, text, [`%${secret}%`, `%${hex}%`])).toEqual([]);
    }
  });

  test("into no log", () => {
    const folder = join(place.home, "logs");
    const logs = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".log"))
      .map((name) => readFileSync(join(folder, name), "utf8"));

    expect(logs.some((log) => log.includes("PaymentService/InitiatePayment"))).toBe(true);
    expect(logs.some((log) => log.includes(secret))).toBe(false);
  });

  test("into no event", async () => {
    const schemas = [
      OrderEventSchema,
      PaymentEventSchema,
      PaymentStatusEventSchema,
      NotificationEventSchema,
    ];
    await using topics = await openTopics(place, schemas);

    const records = await eventually(() => {
      const mine = schemas.flatMap((schema) => topics.records(schema));
      const types = mine.filter(({ key }) => key === orderId).map((one) => one.headers["ce_type"]);
      expect(types).toEqual(expect.arrayContaining(["order.paid", "payment.status-updated"]));
      return mine;
    });

    for (const { value } of records) expect(Buffer.from(value).includes(secret)).toBe(false);
  });
});

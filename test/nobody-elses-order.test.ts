// The promise: nobody reads, pays or cancels someone else's order. Every RPC of the contract, tried by every kind of caller.
import { randomUUID } from "node:crypto";
import { type DescMethod, type DescService, hasOption, type JsonObject } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { access } from "../gen/waybill/access/v1/options_pb.js";
import { EventAdminService } from "../gen/waybill/event/v1/event_admin_service_pb.js";
import { NotificationService } from "../gen/waybill/notification/v1/notification_service_pb.js";
import { CatalogService } from "../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderService } from "../gen/waybill/order/v1/order_service_pb.js";
import { PaymentService } from "../gen/waybill/payment/v1/payment_service_pb.js";
import { TimelineSourceService } from "../gen/waybill/timeline/v1/timeline_source_service_pb.js";
import { call, callersOf, type Caller } from "./harness/callers.ts";
import { expectedCode, type Sample } from "./harness/access-matrix.ts";
import { contractServices } from "./harness/contract.ts";
import { eventually } from "./harness/eventually.ts";
import { newCustomer, type Person } from "./harness/people.ts";
import { becomes, notificationsOf, placeOrder } from "./harness/shop.ts";

const place = inject("shared");
const { services } = place.stack;
const SERVED = [
  ["order", OrderService],
  ["order", CatalogService],
  ["payment", PaymentService],
  ["notification", NotificationService],
  ["order", TimelineSourceService],
  ["payment", TimelineSourceService],
  ["notification", TimelineSourceService],
  ["order", EventAdminService],
  ["payment", EventAdminService],
  ["notification", EventAdminService],
] as const;
/** Asked directly: the gateway does not know them. */
const NOT_ROUTED = new Set<DescService>([EventAdminService, TimelineSourceService]);

let alice: Person;
let bob: Person;
let orderId: string;
let orderNumber: string;
let paymentId: string;
let notificationId: string;
let total: JsonObject;
beforeAll(async () => {
  [alice, bob] = [await newCustomer(place), await newCustomer(place)];
  ({ id: orderId, number: orderNumber } = (await placeOrder(place, alice)).order);
  const { order, payment } = await becomes(place, alice, orderId, "PAID");
  paymentId = payment.id;
  total = {
    currencyCode: order.total?.currencyCode ?? "",
    minorUnits: String(order.total?.minorUnits),
  };
  notificationId = await eventually(async () => {
    const [first] = await notificationsOf(place, alice, orderId);
    if (first === undefined) throw new Error("nobody was told yet");
    return first.id;
  });
});

const nothing = { eventId: randomUUID(), reason: "none of ours" };
const eventKey = { topic: "nowhere", key: "nobody" };
const mail = { subject: "Hello", text: "Hello" };
const product = { sku: "matrix-beans", name: "Beans of the matrix" };
/** One for each RPC: an RPC that is added to the contract needs one here. */
const samples: Readonly<Record<string, Sample>> = {
  CreateOrder: {
    request: () => ({ items: [{ sku: "coffee-beans-1kg", quantity: 1 }], requestId: randomUUID() }),
    toStrangers: "new_row",
  },
  GetOrder: { request: () => ({ orderId }), toStrangers: "hidden", shows: () => orderNumber },
  ListOrders: { request: () => ({}), toStrangers: "own_rows", shows: () => orderId },
  PayOrder: {
    request: () => ({ orderId, requestId: randomUUID(), paymentMethod: "pm_card_visa" }),
    toStrangers: "hidden",
    toAdmitted: "failed_precondition",
  },
  CancelOrder: {
    request: () => ({ orderId }),
    toStrangers: "hidden",
    toAdmitted: "failed_precondition",
  },
  WatchOrder: { request: () => ({ orderId }), toStrangers: "hidden", shows: () => orderNumber },
  ListProducts: { request: () => ({}), toStrangers: "same" },
  PutProduct: {
    request: () => ({ ...product, unitPrice: { currencyCode: "EUR", minorUnits: "100" } }),
    toStrangers: "same",
  },
  InitiatePayment: {
    request: () => ({ orderId, attemptNumber: 1, customerId: alice.id, amount: total }),
    toStrangers: "refused",
    shows: () => paymentId,
  },
  CheckPaymentStatus: {
    request: () => ({ paymentId }),
    toStrangers: "hidden",
    shows: () => orderId,
  },
  CancelPayment: { request: () => ({ paymentId }), toStrangers: "hidden", shows: () => orderId },
  RefundPayment: {
    request: () => ({
      paymentId,
      requestId: randomUUID(),
      amount: { currencyCode: "EUR", minorUnits: "1" },
      reason: "REFUND_REASON_REQUESTED_BY_CUSTOMER",
    }),
    toStrangers: "hidden",
    shows: () => orderId,
  },
  ListPayments: {
    request: () => ({ customerId: alice.id }),
    toStrangers: "same",
    shows: () => paymentId,
  },
  SendEmail: {
    request: () => ({ ...mail, to: alice.email, requestId: randomUUID() }),
    toStrangers: "new_row",
  },
  SendSMS: {
    request: () => ({ to: "+4915112345678", text: "Hello", requestId: randomUUID() }),
    toStrangers: "new_row",
  },
  GetNotification: {
    request: () => ({ notificationId }),
    toStrangers: "hidden",
    shows: () => orderNumber,
  },
  ListNotifications: {
    request: () => ({ orderId }),
    toStrangers: "empty",
    shows: () => notificationId,
  },
  ListTimelineEntries: { request: () => ({ orderId }), toStrangers: "empty", shows: () => orderId },
  GetEventStatus: { request: () => ({}), toStrangers: "same" },
  ListDeadLetters: { request: () => ({}), toStrangers: "same" },
  GetDeadLetter: {
    request: () => ({ eventId: nothing.eventId }),
    toStrangers: "same",
    toAdmitted: "not_found",
  },
  ReplayDeadLetters: { request: () => ({ eventKey, dryRun: true }), toStrangers: "same" },
  SkipDeadLetter: { request: () => nothing, toStrangers: "same", toAdmitted: "not_found" },
  ListHeldKeys: { request: () => ({}), toStrangers: "same" },
  ListParkedEvents: { request: () => ({}), toStrangers: "same" },
  ReleaseParkedEvents: {
    request: () => ({ eventKey, reason: nothing.reason }),
    toStrangers: "same",
    toAdmitted: "not_found",
  },
  SkipParkedEvent: { request: () => nothing, toStrangers: "same", toAdmitted: "not_found" },
  ReplayTopic: {
    request: () => ({ topic: eventKey.topic }),
    toStrangers: "same",
    toAdmitted: "failed_precondition",
  },
  ListAuditEntries: { request: () => ({}), toStrangers: "same" },
};

const callers = callersOf(place, { owner: () => alice, other: () => bob });

const expected = (method: DescMethod, caller: Caller): string =>
  expectedCode(method, caller, samples[method.name]);

const rpcs = SERVED.flatMap(([service, { methods }]) =>
  methods.map((method) => ({ name: method.name, service, method })),
);

test("every service of the contract is among those that are tried", async () => {
  const tried = SERVED.map(([, { typeName }]) => typeName);

  expect([...new Set(tried)].toSorted()).toEqual([...(await contractServices()).keys()].toSorted());
});

test("every RPC of the contract has a sample, and says who may call it", () => {
  const tried = new Set(rpcs.map(({ name }) => name));

  expect([...tried].toSorted()).toEqual(Object.keys(samples).toSorted());
  expect(rpcs.filter(({ method }) => !hasOption(method, access))).toEqual([]);
});

describe.each(rpcs)("$name of $service", ({ service, method }) => {
  const ask = (url: string, token: string | undefined) => {
    const sample = samples[method.name];
    if (sample === undefined) throw new Error(`${method.name} has no sample`);
    return call(url, method, sample.request(), token);
  };

  test.each(Object.keys(callers))("asked by %s", async (name) => {
    const caller = callers[name];
    if (caller === undefined) throw new Error(name);

    const { code, text } = await ask(services[service].url, await caller.token(service));

    expect(code).toBe(expected(method, caller));
    const { shows, toStrangers } = samples[method.name] ?? {};
    if (caller.owns && code === "ok") expect(text).toContain(shows?.() ?? "");
    if (caller.owns) return;
    if (shows !== undefined) expect(text).not.toContain(shows());
    if (code === "ok" && toStrangers === "empty") expect(text).toBe("{}");
    if (toStrangers === "new_row") return;
    expect(text).not.toContain(alice.email);
    expect(text).not.toContain(alice.id);
  });

  test("asked through the gateway, by people and by services that do not belong there", async () => {
    for (const caller of Object.values(callers)) {
      // A service's token is meant for one service; the gateway is none that is called by services.
      const wanted = caller.kind === "service" ? "unauthenticated" : expected(method, caller);

      const { status, code } = await ask(services.gateway.url, await caller.token(service));

      if (NOT_ROUTED.has(method.parent)) expect(status).toBe(404);
      else expect(code).toBe(wanted);
    }
  });
});

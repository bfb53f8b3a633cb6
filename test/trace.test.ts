// The promise: all that comes of a request carries its trace, in whichever service, by whichever worker, however much later.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { v7 } from "uuid";
import { NotificationEventSchema } from "../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { PaymentEventSchema } from "../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatusEventSchema } from "../gen/waybill/payment/v1/payment_status_event_pb.js";
import { takeControl } from "./harness/control.ts";
import { eventually } from "./harness/eventually.ts";
import { ask } from "./harness/http.ts";
import { newCustomer, serviceToken } from "./harness/people.ts";
import { faultsUntilDone, inBrowser, orderFault } from "./harness/sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, placeOrder } from "./harness/shop.ts";
import { openTopics, type Topics } from "./harness/topics.ts";

const SCHEMAS = [
  OrderEventSchema,
  PaymentEventSchema,
  PaymentStatusEventSchema,
  NotificationEventSchema,
] as const;
const OF_A_PAID_ORDER = [
  "notification.sent",
  "notification.sent",
  "order.created",
  "order.paid",
  "payment.created",
  "payment.status-updated",
];

const place = inject("shared");
const launcher = await takeControl(inject("control"));
let topics: Topics;
beforeAll(async () => {
  topics = await openTopics(place, SCHEMAS);
});
afterAll(async () => {
  await launcher.start("payment");
  await topics?.[Symbol.asyncDispose]();
});

/** A trace as a client of ours begins it. */
function newTrace(): { readonly id: string; readonly headers: Record<string, string> } {
  const id = randomBytes(16).toString("hex");
  return { id, headers: { traceparent: `00-${id}-${randomBytes(8).toString("hex")}-01` } };
}

const sorted = (names: readonly string[]) => names.toSorted((a, b) => a.localeCompare(b));

/** Waits until the events of the key have these names, and looks at the trace of each. */
async function expectOneTrace(key: string, types: readonly string[], traceId: string) {
  const headers = await eventually(() => {
    const found = SCHEMAS.flatMap((schema) => topics.records(schema))
      .filter((record) => record.key === key)
      .map((record) => record.headers);
    expect(sorted(found.map((one) => one["ce_type"] ?? ""))).toEqual(sorted(types));
    return found;
  });
  const spans = headers.map((one) => one["traceparent"] ?? "");
  expect(spans.map((span, at) => [headers[at]?.["ce_type"], span.split("-")[1]])).toEqual(
    headers.map((one) => [one["ce_type"], traceId]),
  );
  return spans;
}

/** Stripe's ID of the payment, which the customer's browser has in its client secret. */
const intentOf = (payment: { clientSecret: string }) => payment.clientSecret.split("_secret_")[0];

describe("the events of an order carry the trace of the request that placed it", () => {
  test("when it is paid at once", async () => {
    const alice = await newCustomer(place);
    const trace = newTrace();

    const { order } = await placeOrder(place, alice, anOrder(), trace.headers);

    const spans = await expectOneTrace(order.id, OF_A_PAID_ORDER, trace.id);
    // Each mail has a span of its own, though both may be settled in one transaction.
    expect(new Set(spans).size).toBeGreaterThanOrEqual(5);
    expect(spans).not.toContain(trace.headers["traceparent"]);
  });

  test("when Stripe tells of the payment by a webhook, later", async () => {
    const alice = await newCustomer(place);
    const trace = newTrace();
    const { order, payment } = await placeOrder(place, alice, anUnpaidOrder(), trace.headers);

    await inBrowser(place, `pay/${intentOf(payment)}`, { payment_method: "pm_card_visa" });

    const types = [...OF_A_PAID_ORDER, "payment.status-updated"];
    await expectOneTrace(order.id, types, trace.id);
  });

  test("when the Payment service was down, and Order's worker asked it later", async () => {
    const alice = await newCustomer(place);
    const trace = newTrace();
    await launcher.stop("payment");
    const { order } = await placeOrder(place, alice, anOrder(), trace.headers);

    await launcher.start("payment");

    await becomes(place, alice, order.id, "PAID");
    await expectOneTrace(order.id, OF_A_PAID_ORDER, trace.id);
  });

  test("when the call to Stripe was lost, and Payment's worker made it again", async () => {
    await using _ = faultsUntilDone(place);
    const alice = await newCustomer(place);
    const trace = newTrace();
    const lost = { provider: "stripe", operation: "payment_intents.create", fault: "drop" };
    await orderFault(place, { ...lost, count: LOST_CALLS });

    const { order } = await placeOrder(place, alice, anOrder(), trace.headers);

    await becomes(place, alice, order.id, "PAID");
    const types = [...OF_A_PAID_ORDER, "payment.status-updated"];
    await expectOneTrace(order.id, types, trace.id);
  });
});

/** As many as the Stripe SDK makes for one call of ours. */
const LOST_CALLS = 3;

test("a mail that a service asks for is sent in the trace of its request", async () => {
  const trace = newTrace();
  const token = await serviceToken(place, "order", "notification");
  const { url } = place.stack.services.notification;

  const answer = await ask(`${url}/waybill.notification.v1.NotificationService/SendEmail`, {
    token,
    headers: trace.headers,
    body: { requestId: v7(), to: "traced@example.com", subject: "Hello", text: "there" },
  });

  expect(answer.status).toBe(200);
  const { notification } = answer.json as { notification: { id: string } };
  await expectOneTrace(notification.id, ["notification.sent"], trace.id);
});

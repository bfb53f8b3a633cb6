// The promise: where an event changes nothing, or a message does not go out, the order's timeline says why, and says it once.
import { randomUUID } from "node:crypto";
import { toBinary, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { v7 } from "uuid";
import { afterAll, expect, inject, test } from "vitest";
import { newerContract } from "../dev/contract/newer.ts";
import type { Store } from "../dev/backends/databases.ts";
import { PaymentStatus } from "../gen/waybill/payment/v1/payment_pb.js";
import { PaymentStatusEventSchema } from "../gen/waybill/payment/v1/payment_status_event_pb.js";
import { RefundReason, RefundStatus } from "../gen/waybill/payment/v1/refund_pb.js";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { eventually } from "./harness/eventually.ts";
import { ask } from "./harness/http.ts";
import { newCustomer, newPhoneNumber } from "./harness/people.ts";
import { encoded, openPutter, orderCreated } from "./harness/records.ts";
import { query } from "./harness/rows.ts";
import { faultsToCome, faultsUntilDone, orderFault } from "./harness/sandbox.ts";
import { anOrder, becomes, placeOrder } from "./harness/shop.ts";
import { entryOf, wholeStory } from "./harness/timeline.ts";

const place = inject("shared");
const { gateway, tokens } = place.stack;
const putter = await openPutter(place);
afterAll(() => putter[Symbol.asyncDispose]());

const tells = (service: Store, orderId: string, type: string, text: string | RegExp) =>
  entryOf(place, service, orderId, { type, text });

const textsOf = async (service: Store, orderId: string, type: RegExp) =>
  (await wholeStory(place, service, orderId))
    .filter((entry) => type.test(entry.type))
    .map(({ text }) => text);

const putStatus = (
  orderId: string,
  sequence: number,
  event: MessageInitShape<typeof PaymentStatusEventSchema>["event"],
) =>
  putter.put(PaymentStatusEventSchema, {
    key: orderId,
    sequence,
    type: event?.case === "paymentRefunded" ? "payment.refunded" : "payment.status-updated",
    value: encoded(PaymentStatusEventSchema, {
      orderId,
      customerId: "test",
      paymentId: v7(),
      event: event ?? { case: undefined },
    }),
  });

test("an event that comes too late to matter is told by every service that ignored it", async () => {
  const alice = await newCustomer(place);
  const { id: orderId } = (await placeOrder(place, alice)).order;
  await becomes(place, alice, orderId, "PAID");

  const late = { status: PaymentStatus.PROCESSING, attemptNumber: 1 };
  const eventId = await putStatus(orderId, 2, { case: "paymentStatusUpdated", value: late });

  const line = await tells("order", orderId, "event.ignored", "the order is PAID already");
  expect(line.text).toBe("payment.status-updated: the order is PAID already");
  expect(line.references["event_id"]).toBe(eventId);
  await eventually(async () => {
    const told = await wholeStory(place, "notification", orderId);
    const mine = told.filter(({ references }) => references["event_id"] === eventId);
    expect(mine.map(({ text }) => text)).toEqual([
      "payment.status-updated: nobody is told of this event",
    ]);
  });
});

test("an event of a newer version is told where it is not known", async () => {
  const { orderEvent } = newerContract();
  const orderId = v7();
  const shipped = { orderId, customerId: "test", orderShipped: { carrier: "DHL" } };
  const value = toBinary(orderEvent, fromJson(orderEvent, shipped));

  await putter.put(OrderEventSchema, { key: orderId, sequence: 1, type: "order.shipped", value });

  const line = await tells("notification", orderId, "event.ignored", "order.shipped");
  expect(line.text).toContain('this version knows no "order.shipped"');
});

test("an event that was held, and then ignored, is told once", async () => {
  const orderId = v7();
  const refund = {
    id: v7(),
    paymentId: v7(),
    amount: { currencyCode: "EUR", minorUnits: 100n },
    status: RefundStatus.SUCCEEDED,
    reason: RefundReason.DUPLICATE,
  };
  const value = { refund, refunded: refund.amount };
  await putStatus(orderId, 1, { case: "paymentRefunded", value });
  await eventually(async () => {
    const held = "select 1 from held_event where key = $1";
    expect(await query(place, "notification", held, [orderId])).toHaveLength(1);
  });

  const created = orderCreated(orderId, "", "NONE-0000-00");
  await putter.put(OrderEventSchema, {
    key: orderId,
    sequence: 1,
    type: "order.created",
    value: created,
  });

  await tells("notification", orderId, "event.ignored", "there is no address to tell it to");
  expect(await textsOf("notification", orderId, /./)).toHaveLength(1);
});

test("a refund is told to its customer when it is on its way, and not again when it arrives", async () => {
  const alice = await newCustomer(place);
  const body = anOrder({ paymentMethod: "pm_card_pendingRefund" });
  const { id: orderId } = (await placeOrder(place, alice, body)).order;
  const { payment } = await becomes(place, alice, orderId, "PAID");
  const reason = "REFUND_REASON_DUPLICATE";

  const url = `${gateway}/v1/payments/${payment.id}:refund`;
  await ask(url, { token: tokens.operator, body: { reason } });

  await tells("notification", orderId, "event.ignored", "was told of this refund already");
  const noted = await textsOf("notification", orderId, /noted/);
  expect(noted.filter((text) => text.includes("payment-refunded"))).toHaveLength(1);
});

test("a mail that does not get through is told at its first failure, and when it is sent", async () => {
  await using _ = faultsUntilDone(place);
  const alice = await newCustomer(place);
  const away = { provider: "resend", fault: "status", status: 429, count: 2 };
  await orderFault(place, away);

  const message = { to: alice.email, subject: "Hello", text: "Hello" };
  const orderId = v7();
  const about = { orderId, customerId: alice.id, requestId: randomUUID() };
  const url = `${gateway}/v1/notifications:sendEmail`;
  await ask(url, { token: tokens.operator, body: { ...message, ...about } });

  await tells("notification", orderId, "notification.sent", "A mail was sent.");
  expect(await textsOf("notification", orderId, /./)).toEqual([
    "To be sent: a mail.",
    expect.stringMatching(/^The mail was not sent \(Resend: .*\); it is tried again in \d+ s/),
    "A mail was sent.",
  ]);
  expect(await faultsToCome(place)).toEqual([]);
});

test("a mail that is refused for good, and an SMS of which nobody knows, are told with the reason and without the address", async () => {
  await using _ = faultsUntilDone(place);
  const alice = await newCustomer(place);
  const phoneNumber = newPhoneNumber();
  await orderFault(place, { provider: "resend", fault: "status", status: 422, count: 1 });
  await orderFault(place, { provider: "twilio", fault: "execute_then_drop", count: 1 });
  const orderId = v7();
  const about = () => ({ orderId, customerId: alice.id, requestId: randomUUID() });
  const send = (how: string, message: object) =>
    ask(`${gateway}/v1/notifications:${how}`, {
      token: tokens.operator,
      body: { ...message, ...about() },
    });

  await send("sendEmail", { to: alice.email, subject: "Hello", text: "Hello" });
  await send("sendSms", { to: phoneNumber, text: "Hello" });

  await tells("notification", orderId, "notification.failed", /^The mail was not sent, .*: Resend/);
  await tells(
    "notification",
    orderId,
    "notification.ambiguous",
    /^It is not known whether the SMS/,
  );
  const texts = (await textsOf("notification", orderId, /./)).join("\n");
  for (const address of [alice.email, phoneNumber]) expect(texts).not.toContain(address);
});

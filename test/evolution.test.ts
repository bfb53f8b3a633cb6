// The promise: a writer with a newer contract keeps no older reader from going on: what is not known is skipped, the rest is applied.
import { fromJson, toBinary, type DescMessage, type JsonValue } from "@bufbuild/protobuf";
import { v7 } from "uuid";
import { afterAll, expect, inject, test } from "vitest";
import { newerContract } from "../dev/contract/newer.ts";
import { PaymentStatus } from "../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "./harness/eventually.ts";
import { newCustomer } from "./harness/people.ts";
import { query } from "./harness/rows.ts";
import { mailsTo } from "./harness/sandbox.ts";
import { anUnpaidOrder, becomes, getOrder, placeOrder } from "./harness/shop.ts";
import { openPutter } from "./harness/records.ts";

type Reader = "order" | "notification";

const place = inject("shared");
const newer = newerContract();
const putter = await openPutter(place);
afterAll(() => putter[Symbol.asyncDispose]());

/** Writes an event of the newer contract, given as JSON. Its ID. */
function put(
  schema: DescMessage,
  event: { readonly key: string; readonly sequence: number; readonly type: string },
  json: JsonValue,
): Promise<string> {
  return putter.put(schema, { ...event, value: toBinary(schema, fromJson(schema, json)) });
}

/** Waits until the service is done with the event, and sees that nothing of its key is held. */
async function expectDone(reader: Reader, eventId: string, key: string): Promise<void> {
  await eventually(async () => {
    const known = await query(place, reader, "select 1 from inbox where event_id = $1", [eventId]);
    expect(known).toHaveLength(1);
  });
  const held = "select type, state, reason from held_event where key = $1";
  expect(await query(place, reader, held, [key])).toEqual([]);
}

test("an order goes its way through statuses, fields and events that its services do not know", async () => {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  await becomes(place, alice, order.id, "PENDING");
  await eventually(async () => {
    const { payment: now } = await getOrder(place, alice, order.id);
    expect(now.status).toBe(PaymentStatus.REQUIRES_PAYMENT_METHOD);
  });
  const { id: orderId, customerId } = order;
  const about = { orderId, customerId, paymentId: payment.id, region: "here" };
  const status = (sequence: number, name: string) =>
    put(
      newer.paymentStatusEvent,
      { key: orderId, sequence, type: "payment.status-updated" },
      { ...about, paymentStatusUpdated: { status: name, attemptNumber: 1, region: "here" } },
    );

  const shipped = await put(
    newer.orderEvent,
    { key: orderId, sequence: 2, type: "order.shipped" },
    { orderId, customerId, orderShipped: { carrier: "DHL" } },
  );
  const disputed = await status(2, "PAYMENT_STATUS_DISPUTED");
  const unspecified = await status(3, "PAYMENT_STATUS_UNSPECIFIED");
  await expectDone("order", disputed, orderId);
  await expectDone("order", unspecified, orderId);
  const meanwhile = await getOrder(place, alice, orderId);
  const succeeded = await status(4, "PAYMENT_STATUS_SUCCEEDED");

  await becomes(place, alice, orderId, "PAID");
  expect(meanwhile.payment.status).toBe(PaymentStatus.REQUIRES_PAYMENT_METHOD);
  await expectDone("order", succeeded, orderId);
  for (const id of [shipped, disputed, unspecified, succeeded])
    await expectDone("notification", id, orderId);
  await eventually(async () => {
    const subjects = (await mailsTo(place, alice.email)).map(({ subject }) => subject);
    expect(subjects.toSorted()).toEqual([
      `Payment received for your order ${order.number}`,
      `Your order ${order.number}`,
    ]);
  });
});

test("an event that holds more than we know is applied for what we know of it", async () => {
  const orderId = v7();
  const email = `evolution-${orderId}@example.com`;
  const total = { currencyCode: "EUR", minorUnits: "100", region: "there" };

  const created = await put(
    newer.orderEvent,
    { key: orderId, sequence: 1, type: "order.created" },
    {
      orderId,
      customerId: "evolution",
      region: "here",
      orderCreated: { number: "NEW-0000-00", total, contact: { email }, region: "there" },
    },
  );

  await expectDone("notification", created, orderId);
  await eventually(async () => {
    const subjects = (await mailsTo(place, email)).map(({ subject }) => subject);
    expect(subjects).toEqual(["Your order NEW-0000-00"]);
  });
});

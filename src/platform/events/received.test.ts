// Reading records by the contract: old and new writers, and bytes that are nothing of ours.
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderEventSchema } from "../../../gen/waybill/order/v1/order_event_pb.js";
import { MoneySchema } from "../../../gen/waybill/money/v1/money_pb.js";
import { NotificationEventSchema } from "../../../gen/waybill/notification/v1/notification_event_pb.js";
import { receive } from "./received.ts";
import { streamOf } from "./stream.ts";

const id = "0198c3f2-7b1a-7c3e-9f10-0123456789ab";
const orderPaid = create(OrderEventSchema, {
  orderId: id,
  customerId: "ada",
  event: { case: "orderPaid", value: { paymentId: id } },
});
const record = (
  value: Uint8Array | null,
  headers: Record<string, string> = { ce_id: id, ce_type: "order.paid" },
) => ({
  topic: "order-events",
  partition: 3,
  offset: 7n,
  key: Buffer.from(id),
  value,
  headers: new Map(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
});
test("an event is read with its name, key and place", () => {
  const { content, meta } = receive(
    record(toBinary(OrderEventSchema, orderPaid)),
    OrderEventSchema,
  );
  expect(content).toMatchObject({ kind: "event", message: { customerId: "ada" } });
  expect(meta).toMatchObject({
    eventId: id,
    type: "order.paid",
    key: id,
    partition: 3,
    offset: 7n,
  });
});

test("bytes that are no message, a tombstone and a record without an ID are malformed", () => {
  const whole = toBinary(OrderEventSchema, orderPaid);
  expect(receive(record(Buffer.from([255, 255])), OrderEventSchema).content.kind).toBe("malformed");
  expect(receive(record(null), OrderEventSchema).content.kind).toBe("malformed");
  const nameless = receive(record(whole, {}), OrderEventSchema);
  expect(nameless.content.kind).toBe("malformed");
  expect(nameless.meta.eventId).toBe(receive(record(whole, {}), OrderEventSchema).meta.eventId);
});

test("a stream is what the contract says of it", () => {
  const stream = streamOf(OrderEventSchema, "blue");
  expect(stream).toMatchObject({ topic: "blue.order-events", partitions: 6, retentionHours: 168 });
  expect(stream.keyOf(orderPaid)).toBe(id);
  expect(stream.typeOf(orderPaid)).toBe("order.paid");
  expect(() => streamOf(MoneySchema, "")).toThrow("declares no topic");
});

test("a notification that belongs to no order has its own ID as key", () => {
  const message = create(NotificationEventSchema, { notificationId: "n-1" });
  expect(streamOf(NotificationEventSchema, "").keyOf(message)).toBe("n-1");
  const empty = create(NotificationEventSchema, {});
  expect(() => streamOf(NotificationEventSchema, "").keyOf(empty)).toThrow("has no key");
});

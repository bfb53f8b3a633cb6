// Records of a writer whose contract is newer than ours: what is not known is kept or skipped, and never in the way.
import { create, fromBinary, fromJson, toBinary, toJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { newerContract, STATUS_OF_THE_FUTURE } from "../../../dev/contract/newer.ts";
import { OrderEventSchema } from "../../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatusEventSchema } from "../../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { receive } from "./received.ts";
import { streamOf } from "./stream.ts";

const newer = newerContract();
const id = "0198c3f2-7b1a-7c3e-9f10-0123456789ab";
const money = { currencyCode: "EUR", minorUnits: "100", region: "there" };
const created = {
  orderId: id,
  customerId: "ada",
  orderCreated: {
    number: "7K3M",
    items: [{ sku: "beans", name: "Beans", quantity: 1, unitPrice: money, region: "here" }],
    total: money,
    region: "anywhere",
  },
  region: "everywhere",
};
const shipped = { orderId: id, customerId: "ada", orderShipped: { carrier: "DHL" } };
const disputed = {
  orderId: id,
  customerId: "ada",
  paymentId: id,
  paymentStatusUpdated: { status: "PAYMENT_STATUS_DISPUTED", attemptNumber: 1, region: "here" },
};

type Schema = typeof newer.orderEvent;

/** The event as the newer writer encodes it. */
const written = (schema: Schema, event: JsonValue): Uint8Array =>
  toBinary(schema, fromJson(schema, event));

function receiveFrom(writer: Schema, event: JsonValue, schema: Schema) {
  const value = written(writer, event);
  const type = streamOf(writer, "").typeOf(fromBinary(writer, value)) ?? "";
  const headers = new Map(
    Object.entries({ ce_id: id, ce_type: type }).map(([name, text]) => [name, Buffer.from(text)]),
  );
  const place = { topic: "t", partition: 0, offset: 0n, key: Buffer.from(id) };
  return receive({ ...place, value, headers }, schema).content;
}

test("fields that are not known, beside a known case and deep in it, do not keep an event from being read", () => {
  const content = receiveFrom(newer.orderEvent, created, OrderEventSchema);

  expect(content).toMatchObject({
    kind: "event",
    message: { orderId: id, event: { case: "orderCreated", value: { number: "7K3M" } } },
  });
});

test("fields that are not known are passed on by whoever passes the event on", () => {
  const passed = toBinary(
    OrderEventSchema,
    fromBinary(OrderEventSchema, written(newer.orderEvent, created)),
  );

  expect(toJson(newer.orderEvent, fromBinary(newer.orderEvent, passed))).toEqual(created);
});

test("a case that is not known is skipped, by its name, though the contract requires one", () => {
  expect(receiveFrom(newer.orderEvent, shipped, OrderEventSchema)).toEqual({
    kind: "unknown",
    reason: 'this version knows no "order.shipped" in a waybill.order.v1.OrderEvent',
  });
});

test("a case that is not known is passed on by whoever passes the event on", () => {
  const passed = toBinary(
    OrderEventSchema,
    fromBinary(OrderEventSchema, written(newer.orderEvent, shipped)),
  );

  expect(toJson(newer.orderEvent, fromBinary(newer.orderEvent, passed))).toEqual(shipped);
});

test("an event without any case is malformed: no version writes that", () => {
  const bare = { orderId: id, customerId: "ada" };

  expect(receiveFrom(OrderEventSchema, bare, OrderEventSchema).kind).toBe("malformed");
});

test("a value of an enum that is not known is read as its number, and passed on", () => {
  const content = receiveFrom(newer.paymentStatusEvent, disputed, PaymentStatusEventSchema);
  if (content.kind !== "event") throw new Error(content.kind);
  const passed = toBinary(PaymentStatusEventSchema, content.message as never);

  expect(content.message).toMatchObject({
    event: { value: { status: STATUS_OF_THE_FUTURE, attemptNumber: 1 } },
  });
  expect(toJson(newer.paymentStatusEvent, fromBinary(newer.paymentStatusEvent, passed))).toEqual(
    disputed,
  );
});

test("what an older version writes is read by the newer one", () => {
  const paid = create(OrderEventSchema, {
    orderId: id,
    customerId: "ada",
    event: { case: "orderPaid", value: { paymentId: id } },
  });

  const read = fromBinary(newer.orderEvent, toBinary(OrderEventSchema, paid));

  expect(toJson(newer.orderEvent, read)).toEqual(toJson(OrderEventSchema, paid));
});

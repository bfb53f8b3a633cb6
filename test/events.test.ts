// The promise: every step of an order is an event, raw Protobuf with CloudEvents headers, in order and without a gap.
import { CloudEvent, Kafka as CloudEventsOnKafka } from "cloudevents";
import { beforeAll, afterAll, describe, expect, inject, test } from "vitest";
import { NotificationEventSchema } from "../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { PaymentEventSchema } from "../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatus } from "../gen/waybill/payment/v1/payment_pb.js";
import { PaymentStatusEventSchema } from "../gen/waybill/payment/v1/payment_status_event_pb.js";
import { eventually } from "./harness/eventually.ts";
import { newCustomer } from "./harness/people.ts";
import { anOrder, becomes, placeOrder, postOrder } from "./harness/shop.ts";
import { openTopics, type TopicRecord, type Topics } from "./harness/topics.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SCHEMAS = [
  OrderEventSchema,
  PaymentEventSchema,
  PaymentStatusEventSchema,
  NotificationEventSchema,
] as const;
const place = inject("shared");

let topics: Topics;
beforeAll(async () => {
  topics = await openTopics(place, SCHEMAS);
});
afterAll(() => topics?.[Symbol.asyncDispose]());

const typesOf = (records: readonly TopicRecord[]) =>
  records.map(({ headers }) => headers["ce_type"]);

/** The records of one order: what was read of a topic under the order's ID. */
const ofOrder = (schema: (typeof SCHEMAS)[number], orderId: string): TopicRecord[] =>
  topics.records(schema).filter(({ key }) => key === orderId);

describe("the events of an order", () => {
  test("are on their four topics, each under the order's ID", async () => {
    const alice = await newCustomer(place);

    const { order } = await placeOrder(place, alice);

    await eventually(() => {
      expect(typesOf(ofOrder(OrderEventSchema, order.id))).toEqual(["order.created", "order.paid"]);
      expect(typesOf(ofOrder(PaymentEventSchema, order.id))).toEqual(["payment.created"]);
      expect(typesOf(ofOrder(PaymentStatusEventSchema, order.id))).toEqual([
        "payment.status-updated",
      ]);
      expect(typesOf(ofOrder(NotificationEventSchema, order.id))).toEqual([
        "notification.sent",
        "notification.sent",
      ]);
    });
    const created = topics.records(OrderEventSchema).find(({ key }) => key === order.id);
    expect(created?.event).toMatchObject({
      orderId: order.id,
      customerId: alice.id,
      event: {
        case: "orderCreated",
        value: {
          number: order.number,
          total: { minorUnits: 3798n },
          contact: { email: alice.email },
        },
      },
    });
    const updated = topics.records(PaymentStatusEventSchema).find(({ key }) => key === order.id);
    expect(updated?.event.event.value).toMatchObject({
      status: PaymentStatus.SUCCEEDED,
      attemptNumber: 1,
    });
  });

  test("carry the attributes of CloudEvents, and the trace of the request", async () => {
    const alice = await newCustomer(place);
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

    const answer = await postOrder(place, alice, anOrder(), { headers: { traceparent } });
    const { order } = answer.json as { order: { id: string } };

    const records = await eventually(() => {
      const found = SCHEMAS.flatMap((schema) =>
        ofOrder(schema, order.id).map((record) => ({ schema, record })),
      );
      expect(found).toHaveLength(6);
      return found;
    });
    for (const { schema, record } of records) {
      expect(record.headers).toEqual({
        ce_id: expect.stringMatching(UUID_V7),
        ce_source: expect.stringMatching(/^\/waybill\/(order|payment|notification)$/),
        ce_type: expect.stringMatching(/^[a-z]+\.[a-z-]+$/),
        ce_specversion: "1.0",
        ce_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        ce_sequence: expect.stringMatching(/^\d+$/),
        ce_dataschema: schema.typeName,
        "content-type": "application/protobuf",
        traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
      });
      expect(record.headers["traceparent"]).toContain(traceId);
    }
    expect(new Set(records.map(({ record }) => record.headers["ce_id"])).size).toBe(6);
  });

  test("are read by the SDK of CloudEvents", async () => {
    const alice = await newCustomer(place);
    const { order } = await placeOrder(place, alice);
    const record = await eventually(() => {
      const first = topics.records(OrderEventSchema).find(({ key }) => key === order.id);
      if (first === undefined) throw new Error("no event yet");
      return first;
    });

    const { value } = record;
    const message = {
      key: record.key,
      value,
      headers: record.headers,
      body: value,
      timestamp: String(Date.now()),
    };
    const read = CloudEventsOnKafka.toEvent(message);
    if (Array.isArray(read)) throw new Error("one record is one event");

    expect(read).toMatchObject({
      id: record.headers["ce_id"],
      source: "/waybill/order",
      type: "order.created",
      specversion: "1.0",
      datacontenttype: "application/protobuf",
      dataschema: OrderEventSchema.typeName,
      sequence: "1",
    });
    expect(Buffer.from(read.data_base64 ?? "", "base64")).toEqual(Buffer.from(value));
    // Held against the whole specification, with one exception: it wants a URI for a schema, and a message has a name.
    const dataschema = `protobuf:${read.dataschema}`;
    expect(() => new CloudEvent({ ...read, dataschema })).not.toThrow();
  });

  test("are counted from 1 without a gap, on each topic, however many orders run at once", async () => {
    const alice = await newCustomer(place);
    const methods = [
      "pm_card_visa",
      "pm_card_chargeDeclined",
      "pm_card_visa",
      "pm_card_mastercard",
    ];

    const taken = await Promise.all(
      [...methods, ...methods].map((paymentMethod) =>
        placeOrder(place, alice, anOrder({ paymentMethod })),
      ),
    );

    for (const [index, { order }] of taken.entries()) {
      const declined = methods[index % methods.length] === "pm_card_chargeDeclined";
      await becomes(place, alice, order.id, declined ? "FAILED" : "PAID");
      await eventually(() => {
        expect(ofOrder(OrderEventSchema, order.id)).toHaveLength(2);
        expect(ofOrder(NotificationEventSchema, order.id)).toHaveLength(2);
      });
      for (const schema of SCHEMAS) {
        const records = ofOrder(schema, order.id);
        const sequences = records.map(({ headers }) => Number(headers["ce_sequence"]));
        expect(sequences).toEqual(records.map((_, position) => position + 1));
        expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
      }
    }
  });
});

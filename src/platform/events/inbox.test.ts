import { expect, test } from "vitest";
import { OrderEventSchema } from "../../../gen/waybill/order/v1/order_event_pb.js";
import { inboxHours, RetentionError } from "./inbox.ts";
import { streamOf } from "./stream.ts";

const topic = streamOf(OrderEventSchema, "");

test("the inbox remembers a week longer than the topics, unless it is told otherwise", () => {
  expect(inboxHours([topic], undefined)).toBe(topic.retentionHours + 168);
  expect(inboxHours([topic], topic.retentionHours)).toBe(topic.retentionHours);
});

test("the inbox may not forget while a topic still remembers: the message says what to set", () => {
  const refused = () => inboxHours([topic], topic.retentionHours - 1);
  expect(refused).toThrow(RetentionError);
  expect(refused).toThrow(`INBOX_RETENTION_HOURS is 167`);
  expect(refused).toThrow(`order-events keeps its records for 168 hours`);
});

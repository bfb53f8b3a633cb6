// The promise: what the broker refuses is kept with the later events of its key, and goes out in their order when an operator says so.
import { ConfigResourceTypes } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { clientOf } from "../dev/backends/kafka-ready.ts";
import { NotificationEventSchema } from "../gen/waybill/notification/v1/notification_event_pb.js";
import type { ParkedEvent } from "../gen/waybill/event/v1/event_admin_pb.js";
import { streamOf } from "../src/platform/events/stream.ts";
import { adminAt, codeOf } from "./harness/admin.ts";
import { eventually } from "./harness/eventually.ts";
import { newCustomer } from "./harness/people.ts";
import { query } from "./harness/rows.ts";
import { placeOrder } from "./harness/shop.ts";
import { openTopics, type Topics } from "./harness/topics.ts";

const place = inject("shared");
const admin = adminAt(place, "notification");
const { topic } = streamOf(NotificationEventSchema, place.namespace);

let topics: Topics;
beforeAll(async () => {
  topics = await openTopics(place, [NotificationEventSchema]);
});
afterAll(() => topics?.[Symbol.asyncDispose]());

async function setTopicLimit(bytes: number): Promise<void> {
  const kafka = clientOf(place.stack.kafka.brokers).admin();
  await kafka.connect();
  try {
    const configEntries = [{ name: "max.message.bytes", value: String(bytes) }];
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
    await kafka.alterConfigs({ validateOnly: false, resources });
  } finally {
    await kafka.disconnect();
  }
}

const parkedOf = async (key: string): Promise<ParkedEvent[]> =>
  (await admin.listParkedEvents({ topic, key })).parkedEvents;

/** An order both of whose notification.sent the broker refused. */
async function anOrderWithParkedEvents(): Promise<{ key: string; parked: ParkedEvent[] }> {
  await setTopicLimit(64);
  try {
    const { order } = await placeOrder(place, await newCustomer(place));
    const parked = await eventually(async () => {
      const found = await parkedOf(order.id);
      expect(found).toHaveLength(2);
      return found;
    });
    return { key: order.id, parked };
  } finally {
    await setTopicLimit(1_048_588);
  }
}

const sent = (key: string) =>
  topics
    .records(NotificationEventSchema)
    .filter((record) => record.key === key)
    .map(({ headers }) => [headers["ce_sequence"], headers["ce_id"]]);

const audit = (key: string) =>
  query(
    place,
    "notification",
    "select actor, action, reason, events from event_audit where subject->'eventKey'->>'key' = $1 or subject->>'eventId' = $1",
    [key],
  );

describe("events that the broker refuses", () => {
  test("go out in their order, as the events that they were, when an operator releases them", async () => {
    const { key, parked } = await anOrderWithParkedEvents();
    expect(parked.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1n, "notification.sent"],
      [2n, "notification.sent"],
    ]);
    expect(parked[0]?.reason).not.toBe(parked[1]?.reason);
    expect(parked[1]?.reason).toBe("an earlier event of its key is parked");
    expect((await admin.getEventStatus({})).status?.parkedEventCount).toBeGreaterThanOrEqual(2n);
    expect(sent(key)).toEqual([]);

    const released = await admin.releaseParkedEvents({
      eventKey: { topic: "notification-events", key },
      reason: "the topic takes them now",
    });

    expect(released.eventCount).toBe(2n);
    await eventually(() =>
      expect(sent(key)).toEqual(parked.map(({ eventId }, at) => [String(at + 1), eventId])),
    );
    expect(await parkedOf(key)).toEqual([]);
    expect(await audit(key)).toEqual([
      {
        actor: "operator:operator",
        action: "ReleaseParkedEvents",
        reason: "the topic takes them now",
        events: 2,
      },
    ]);
    const again = admin.releaseParkedEvents({ eventKey: { topic, key }, reason: "once more" });
    expect(await codeOf(again)).toBe("NotFound");
  });

  test("can be given up one by one; the others wait until they are released", async () => {
    const { key, parked } = await anOrderWithParkedEvents();
    const [first, second] = parked;
    if (first === undefined || second === undefined) throw new Error("two are parked");
    const reason = "too large for ever";

    const skipped = await admin.skipParkedEvent({ eventId: first.eventId, reason });

    expect(skipped.parkedEventCount).toBe(1n);
    expect((await parkedOf(key)).map(({ eventId }) => eventId)).toEqual([second.eventId]);
    await admin.releaseParkedEvents({ eventKey: { topic, key }, reason });
    await eventually(() => expect(sent(key)).toEqual([["2", second.eventId]]));
    expect(await codeOf(admin.skipParkedEvent({ eventId: first.eventId, reason }))).toBe(
      "NotFound",
    );
    expect(await audit(first.eventId)).toEqual([
      { actor: "operator:operator", action: "SkipParkedEvent", reason, events: 1 },
    ]);
  });
});

// The promise: a part of a topic can be read again at any time, and only what was never taken is applied.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { v7 } from "uuid";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { adminAt, codeOf } from "./harness/admin.ts";
import { eventually } from "./harness/eventually.ts";
import { orderCreated, openPutter, type RecordPutter } from "./harness/records.ts";
import { query } from "./harness/rows.ts";
import { mailsTo } from "./harness/sandbox.ts";

const place = inject("shared");
const admin = adminAt(place, "notification");

let putter: RecordPutter;
beforeAll(async () => {
  putter = await openPutter(place);
});
afterAll(() => putter?.[Symbol.asyncDispose]());

/** The key and recipient of each test. */
let orderId: string;
let email: string;
beforeEach(() => {
  orderId = v7();
  email = `replay-${orderId}@example.com`;
});

const put = (number: string): Promise<string> =>
  putter.put(OrderEventSchema, {
    key: orderId,
    sequence: 1,
    type: "order.created",
    value: orderCreated(orderId, email, number),
  });

const subjects = async () => (await mailsTo(place, email)).map(({ subject }) => subject);

describe("a part of a topic that is read again", () => {
  const request = () => ({ topic: "order-events", key: orderId });

  /** As if the service had lost it: its inbox row, and what it did. */
  async function forget(eventId: string): Promise<void> {
    await query(place, "notification", "delete from inbox where event_id = $1", [eventId]);
    await query(place, "notification", "delete from notifications where order_id = $1", [orderId]);
  }

  const stored = () =>
    query(place, "notification", "select 1 from notifications where order_id = $1", [orderId]);

  test("gives back what the service never took, once, and tells first what it would do", async () => {
    const eventId = await put("REPLAY-1");
    await eventually(async () => expect(await subjects()).toEqual(["Your order REPLAY-1"]));
    await eventually(async () => {
      const { status } = await admin.getEventStatus({});
      expect(status?.consumedPartitions.every(({ lag }) => lag === 0n)).toBe(true);
    });
    expect(await admin.replayTopic(request())).toMatchObject({
      readCount: 1n,
      knownCount: 1n,
      appliedCount: 0n,
    });
    await forget(eventId);

    const look = await admin.replayTopic(request());
    expect(look).toMatchObject({ readCount: 1n, knownCount: 0n, appliedCount: 1n, nextRanges: [] });
    expect(await stored()).toEqual([]);
    expect(await codeOf(admin.replayTopic({ ...request(), apply: true }))).toBe("InvalidArgument");

    const apply = { ...request(), apply: true, reason: "lost with the backup" };
    expect(await admin.replayTopic(apply)).toMatchObject({
      readCount: 1n,
      knownCount: 0n,
      appliedCount: 1n,
    });
    expect(await stored()).toHaveLength(1);
    expect(await admin.replayTopic(apply)).toMatchObject({
      readCount: 1n,
      knownCount: 1n,
      appliedCount: 0n,
    });
    expect(await stored()).toHaveLength(1);
    const audit = await query<{ events: number; subject: unknown }>(
      place,
      "notification",
      "select events, subject from event_audit where action = 'ReplayTopic' and subject->>'key' = $1 order by id",
      [orderId],
    );
    expect(audit.map(({ events }) => events)).toEqual([1, 0]);
    expect(audit[0]?.subject).toEqual({ topic: "order-events", key: orderId, apply: true });
  });

  test("is bounded by time and by offsets", async () => {
    const eventId = await put("REPLAY-2");
    await eventually(async () => expect(await subjects()).toEqual(["Your order REPLAY-2"]));
    await forget(eventId);
    const { readRanges } = await eventually(async () => {
      const look = await admin.replayTopic(request());
      expect(look.appliedCount).toBe(1n);
      return look;
    });

    const hour = 3_600_000;
    const soon = timestampFromDate(new Date(Date.now() + hour));
    const past = timestampFromDate(new Date(Date.now() - hour));
    expect(await admin.replayTopic({ ...request(), since: soon })).toMatchObject({
      readCount: 0n,
      readRanges: [],
    });
    expect(await admin.replayTopic({ ...request(), until: past })).toMatchObject({
      readCount: 0n,
      readRanges: [],
    });
    expect(await admin.replayTopic({ ...request(), since: past, until: soon })).toMatchObject({
      readCount: 1n,
    });
    const found = await Promise.all(
      readRanges.map(async (range) => {
        const look = await admin.replayTopic({ ...request(), partitionRanges: [range] });
        expect(look.readRanges).toEqual([range]);
        return look.readCount;
      }),
    );
    expect(found.filter((count) => count === 1n)).toHaveLength(1);
    expect(found.filter((count) => count === 0n)).toHaveLength(readRanges.length - 1);
    const [range] = readRanges;
    const wrong = [
      [{ partition: 6, fromOffset: 0n, endOffset: 1n }],
      [{ partition: 0, fromOffset: 1n, endOffset: 1n }],
      [range ?? {}, range ?? {}],
    ];
    for (const partitionRanges of wrong)
      expect(await codeOf(admin.replayTopic({ ...request(), partitionRanges }))).toBe(
        "InvalidArgument",
      );
    expect(await codeOf(admin.replayTopic({ ...request(), since: soon, until: past }))).toBe(
      "InvalidArgument",
    );
  });

  test("is refused where the service does not read the topic, or its handler may not run twice", async () => {
    const topicOfOurs = { topic: "notification-events" };
    expect(await codeOf(admin.replayTopic(topicOfOurs))).toBe("FailedPrecondition");
    expect(await codeOf(adminAt(place, "payment").replayTopic(request()))).toBe(
      "FailedPrecondition",
    );
    const forced = admin.replayTopic({ ...request(), apply: true, force: true, reason: "again" });
    await expect(forced).rejects.toThrow(
      /the handler of \S*order-events is not declared repeatable/,
    );
    await expect(forced).rejects.toMatchObject({ code: Code.FailedPrecondition });
  });
});

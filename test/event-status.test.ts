// The promise: an operator sees at once how the events flow and what is stuck, however much of it there is.
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { v7 } from "uuid";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { adminAt, codeOf, dies, heldOf } from "./harness/admin.ts";
import { eventually } from "./harness/eventually.ts";
import { openPutter, type RecordPutter } from "./harness/records.ts";
import { lockTable } from "./harness/rows.ts";

const place = inject("shared");
const admin = adminAt(place, "notification");

let putter: RecordPutter;
beforeAll(async () => {
  putter = await openPutter(place);
});
afterAll(() => putter?.[Symbol.asyncDispose]());

describe("lists", () => {
  test("come in pages, and a token is good only for the list that gave it", async () => {
    const keys = [v7(), v7(), v7()];
    for (const key of keys) {
      const value = Buffer.from("unreadable");
      await putter.put(OrderEventSchema, { key, sequence: 1, type: "test.paged", value });
    }
    const type = "test.paged";
    await eventually(async () =>
      expect((await admin.listDeadLetters({ type })).deadLetters).toHaveLength(3),
    );

    const first = await admin.listDeadLetters({ type, pageSize: 2 });
    const second = await admin.listDeadLetters({
      type,
      pageSize: 2,
      pageToken: first.nextPageToken,
    });

    const listed = [...first.deadLetters, ...second.deadLetters].map(({ key }) => key);
    expect(listed.toSorted()).toEqual(keys.toSorted());
    expect(second.nextPageToken).toBe("");
    const pageToken = first.nextPageToken;
    expect(await codeOf(admin.listDeadLetters({ pageToken }))).toBe("InvalidArgument");
    expect(await codeOf(admin.listHeldKeys({ pageToken }))).toBe("InvalidArgument");
    for (const { eventId } of [...first.deadLetters, ...second.deadLetters])
      await admin.skipDeadLetter({ eventId, reason: "the end of the test" });
  });
});

describe("the status", () => {
  test("counts what is stuck, and tells how far the service has read", async () => {
    const before = (await admin.getEventStatus({})).status;
    const orderId = v7();
    const put = (sequence: number) =>
      putter.put(OrderEventSchema, {
        key: orderId,
        sequence,
        type: "test.status",
        value: Buffer.from("unreadable"),
      });
    const first = await put(1);
    await dies(admin, orderId, first);
    const second = await put(2);
    await eventually(async () =>
      expect(await heldOf(place, "notification", orderId)).toHaveLength(2),
    );

    const status = await eventually(async () => {
      const { status: now } = await admin.getEventStatus({});
      expect(now?.consumedPartitions.every(({ lag }) => lag === 0n)).toBe(true);
      return now;
    });

    expect(status?.service).toBe("notification");
    expect(status?.liveRelayCount).toBe(1);
    expect(status?.outboxShards).toHaveLength(16);
    expect(status?.outboxShards.every(({ leaseUntil }) => leaseUntil !== undefined)).toBe(true);
    expect(status?.consumptionProblem).toBe("");
    expect(status?.consumedPartitions).toHaveLength(12);
    const read = status?.consumedPartitions.filter(
      ({ committedOffset }) => committedOffset !== undefined,
    );
    expect(read?.length).toBeGreaterThan(0);
    expect(read?.every(({ committedOffset, endOffset }) => committedOffset === endOffset)).toBe(
      true,
    );
    expect(status?.deadLetterCount).toBe((before?.deadLetterCount ?? 0n) + 1n);
    expect(status?.quarantinedKeyCount).toBe((before?.quarantinedKeyCount ?? 0n) + 1n);
    expect(status?.waitingEventCount).toBe((before?.waitingEventCount ?? 0n) + 1n);
    expect(status?.oldestWaitingAge).toBeDefined();
    for (const eventId of [first, second]) {
      await dies(admin, orderId, eventId);
      await admin.skipDeadLetter({ eventId, reason: "the end of the test" });
    }
  });

  test("tells how old the oldest transaction is that keeps dead rows", async () => {
    await using _open = await lockTable(place, "notification", "event_audit");

    const { status } = await admin.getEventStatus({});

    expect(status?.oldestTransactionAge).toBeDefined();
  });
});

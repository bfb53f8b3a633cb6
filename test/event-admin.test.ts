// The promise: what is stuck is visible to operators, who put it right in the order of its key, and what they do is on record.
import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { v7 } from "uuid";
import { EventContentSchema, HeldState } from "../gen/waybill/event/v1/event_admin_pb.js";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { streamOf } from "../src/platform/events/stream.ts";
import { adminAt, codeOf, deadLettersOf, dies, heldOf } from "./harness/admin.ts";
import { eventually } from "./harness/eventually.ts";
import { orderCreated, openPutter, type RecordPutter } from "./harness/records.ts";
import { query } from "./harness/rows.ts";
import { mailsTo } from "./harness/sandbox.ts";

const place = inject("shared");
const admin = adminAt(place, "notification");
const { topic } = streamOf(OrderEventSchema, place.namespace);

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
  email = `admin-${orderId}@example.com`;
});

const put = (sequence: number, value: Uint8Array): Promise<string> =>
  putter.put(OrderEventSchema, { key: orderId, sequence, type: "order.created", value });

const created = (number: string): Uint8Array => orderCreated(orderId, email, number);

/** Until it is disposed, the Notification service cannot write to the address of the test: a bug, as far as it knows. */
async function brokenFor(recipient: string): Promise<AsyncDisposable> {
  const name = `broken_${orderId.replaceAll("-", "_")}`;
  await query(
    place,
    "notification",
    `alter table notifications add constraint ${name} check (recipient <> '${recipient}') not valid`,
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await query(place, "notification", `alter table notifications drop constraint ${name}`);
    },
  };
}

const deadOfKey = () => deadLettersOf(admin, orderId);
const isDead = (eventId: string) => dies(admin, orderId, eventId);
const held = () => heldOf(place, "notification", orderId);
const subjects = async () => (await mailsTo(place, email)).map(({ subject }) => subject);

const auditOf = (eventId: string) =>
  query<{ actor: string; action: string; reason: string; events: number; subject: unknown }>(
    place,
    "notification",
    "select actor, action, reason, events, subject from event_audit where subject->>'eventId' = $1 order by id",
    [eventId],
  );

describe("an event whose handler fails", () => {
  test("is found with what it says and what was thrown, and applied in its order when it is replayed", async () => {
    const broken = await brokenFor(email);
    const first = await put(1, created("ADMIN-1"));
    const second = await put(2, created("ADMIN-2"));
    const dead = await isDead(first);
    await eventually(async () => expect(await held()).toHaveLength(2));

    expect(dead).toMatchObject({
      topic,
      key: orderId,
      type: "order.created",
      sequence: 1n,
      attemptCount: 3,
    });
    expect(dead.reason).toContain("violates check constraint");
    const { deadLetter, error, content } = await admin.getDeadLetter({ eventId: first });
    expect(deadLetter?.laterEventCount).toBe(1n);
    expect(error).toMatch(/violates check constraint[^]*\n +at /);
    expect(content?.value.case).toBe("message");
    expect(content?.value.value).toMatchObject({
      orderId,
      orderCreated: { number: "ADMIN-1", contact: { email } },
    });
    expect(content?.headers).toContainEqual(
      expect.objectContaining({ name: "ce_id", value: { case: "text", value: first } }),
    );

    const { heldKeys } = await admin.listHeldKeys({ topic, state: HeldState.DEAD });
    expect(heldKeys.find(({ key }) => key === orderId)).toMatchObject({
      state: HeldState.DEAD,
      headEventId: first,
      laterEventCount: 1n,
    });

    await broken[Symbol.asyncDispose]();
    const target = { eventId: first };
    expect(await admin.replayDeadLetters({ ...target, dryRun: true })).toMatchObject({
      eventCount: 1n,
    });
    expect(await deadOfKey()).toHaveLength(1);
    expect(
      await admin.replayDeadLetters({ ...target, reason: "the table is mended" }),
    ).toMatchObject({
      eventCount: 1n,
    });

    await eventually(async () => expect(await held()).toEqual([]));
    expect(await admin.replayDeadLetters({ ...target, reason: "once more" })).toMatchObject({
      eventCount: 0n,
    });
    const told = await query<{ source: string }>(
      place,
      "notification",
      "select source from notifications where order_id = $1 order by id",
      [orderId],
    );
    expect(told.map(({ source }) => source)).toEqual([`event:${first}`, `event:${second}`]);
    await eventually(async () =>
      expect((await subjects()).toSorted()).toEqual(["Your order ADMIN-1", "Your order ADMIN-2"]),
    );
    expect(await auditOf(first)).toMatchObject([
      {
        actor: "operator:operator",
        action: "ReplayDeadLetters",
        reason: "the table is mended",
        events: 1,
      },
      { action: "ReplayDeadLetters", reason: "once more", events: 0 },
    ]);
  });
});

describe("an event that nobody can read", () => {
  test("is given up by an operator, and the one behind it is told of next", async () => {
    const first = await put(1, Buffer.from("no protobuf"));
    await isDead(first);
    const second = await put(2, created("ADMIN-3"));
    await eventually(async () => expect(await held()).toHaveLength(2));
    const { content } = await admin.getDeadLetter({ eventId: first });
    const payload = Buffer.from("no protobuf").toString("base64");
    expect(toJson(EventContentSchema, content ?? create(EventContentSchema))).toMatchObject({
      payload,
    });

    expect(await codeOf(admin.skipDeadLetter({ eventId: second, reason: "a mistake" }))).toBe(
      "FailedPrecondition",
    );
    expect(await codeOf(admin.skipDeadLetter({ eventId: first, reason: " " }))).toBe(
      "InvalidArgument",
    );
    const { heldKey } = await admin.skipDeadLetter({
      eventId: first,
      reason: "it never was an event",
    });

    expect(heldKey).toMatchObject({
      key: orderId,
      state: HeldState.WAITING,
      headEventId: second,
      laterEventCount: 0n,
    });
    await eventually(async () => expect(await subjects()).toEqual(["Your order ADMIN-3"]));
    expect(await held()).toEqual([]);
    expect(await codeOf(admin.skipDeadLetter({ eventId: first, reason: "again" }))).toBe(
      "NotFound",
    );
    expect(await codeOf(admin.getDeadLetter({ eventId: first }))).toBe("NotFound");
    expect(await auditOf(first)).toMatchObject([
      {
        actor: "operator:operator",
        action: "SkipDeadLetter",
        reason: "it never was an event",
        events: 1,
      },
    ]);
    expect(await auditOf(second)).toEqual([]);
  });

  test("is dead again after a replay, its key waits on, and lists find it by key, type and time", async () => {
    const before = new Date();
    const first = await put(1, Buffer.from("no protobuf either"));
    const { deadTime } = await isDead(first);
    if (deadTime === undefined) throw new Error("dead since when?");
    await put(2, created("ADMIN-4"));
    await eventually(async () => expect(await held()).toHaveLength(2));
    const found = async (filter: Parameters<typeof admin.listDeadLetters>[0]) =>
      (await admin.listDeadLetters({ key: orderId, ...filter })).deadLetters.length;
    const died = timestampDate(deadTime).getTime();
    expect(died).toBeGreaterThanOrEqual(before.getTime() - 1000);

    expect(await found({ type: "order.created" })).toBe(1);
    expect(await found({ type: "order.paid" })).toBe(0);
    expect(await found({ deadSince: timestampFromDate(new Date(died)) })).toBe(1);
    expect(await found({ deadSince: timestampFromDate(new Date(died + 1)) })).toBe(0);
    expect(await found({ deadUntil: timestampFromDate(new Date(died)) })).toBe(0);
    expect(await found({ topic: "order-events" })).toBe(1);
    expect(await found({ topic: "payment-status-updates" })).toBe(0);

    const eventKey = { topic: "order-events", key: orderId };
    const { eventCount } = await admin.replayDeadLetters({ eventKey, reason: "to see it fail" });
    expect(eventCount).toBe(1n);
    await eventually(async () => {
      const [dead] = await deadOfKey();
      expect(timestampDate(dead?.deadTime ?? deadTime).getTime()).toBeGreaterThan(died);
    });
    const noted = await query(
      place,
      "notification",
      "select 1 from held_event where event_id = $1 and state = 'dead' and dead_time is not null",
      [first],
    );
    expect(noted).toHaveLength(1);
    expect(await held()).toHaveLength(2);
    expect(await subjects()).toEqual([]);
    await admin.skipDeadLetter({ eventId: first, reason: "the end of the test" });
    await eventually(async () => expect(await subjects()).toEqual(["Your order ADMIN-4"]));
  });
});

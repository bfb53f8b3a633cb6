// The promise: what is stuck is visible to operators, who put it right in the order of its key, and what they do is on record.
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { v7 } from "uuid";
import { HeldState } from "../gen/waybill/event/v1/event_admin_pb.js";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { streamOf } from "../src/platform/events/stream.ts";
import { adminAt } from "./harness/admin.ts";
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

const deadOfKey = async () => (await admin.listDeadLetters({ topic, key: orderId })).deadLetters;

const isDead = (eventId: string) =>
  eventually(async () => {
    const [dead] = await deadOfKey();
    if (dead?.eventId !== eventId) throw new Error(`${eventId} is not dead yet`);
    return dead;
  });

const held = () =>
  query(place, "notification", "select 1 from held_event where key = $1", [orderId]);

const subjects = async () => (await mailsTo(place, email)).map(({ subject }) => subject);

const auditOf = (eventId: string) =>
  query<{ actor: string; action: string; reason: string; events: number; subject: unknown }>(
    place,
    "notification",
    "select actor, action, reason, events, subject from event_audit where subject->>'eventId' = $1 order by id",
    [eventId],
  );

const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "ok";
  } catch (error) {
    return Code[ConnectError.from(error).code];
  }
};

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

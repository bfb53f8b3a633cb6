// Stripe's events may come in any order, twice, late, and with restarts between: what is known in the end is what Stripe has.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { RefundReason } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  paymentOf,
  checkPayment,
  atSandbox,
  ledgerOf,
  inboxOf,
  publishedOf,
  withoutWebhooks,
  atDashboard,
  eventsOf,
  sendWebhooks,
} from "../harness/payments.ts";

const RUNS = 3;
/** Lives that are lived at the same time, in one run. */
const LIVES = 8;
const PAID = 1999;

let room: PaymentRoom;
beforeAll(async () => {
  room = await openPaymentRoom(inject("servers"));
});
afterAll(() => room?.[Symbol.asyncDispose]());

const method = fc.constantFrom(
  "pm_card_visa",
  "pm_card_chargeDeclined",
  "pm_card_threeDSecure2Required",
  "pm_usBankAccount_processing",
);
const amount = fc.integer({ min: 1, max: PAID });
/** What may happen to a payment. What cannot happen in its state is refused by Stripe, or by us, and changes nothing. */
const act = fc.oneof(
  fc.record({ kind: fc.constant("attempt" as const), method }),
  fc.record({ kind: fc.constant("browser" as const), method }),
  fc.record({ kind: fc.constant("bank" as const), outcome: fc.constantFrom("succeed", "fail") }),
  fc.record({ kind: fc.constant("refund" as const), amount }),
  fc.record({ kind: fc.constant("dashboard-refund" as const), amount }),
  fc.record({ kind: fc.constant("refund-fails" as const) }),
  fc.record({ kind: fc.constant("dispute" as const) }),
  fc.record({ kind: fc.constant("decision" as const), outcome: fc.constantFrom("win", "lose") }),
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** An act, and which of the events so far are delivered after it: by number, so some twice, some not, in any order. */
const step = fc.record({ act, deliveries: fc.array(fc.nat({ max: 40 }), { maxLength: 5 }) });
const life = fc.record({
  first: fc.oneof(method, fc.constant("")),
  // Most lives should come to money, or there is nothing to give back.
  paid: fc.record({
    act: fc.constant({ kind: "browser" as const, method: "pm_card_visa" }),
    deliveries: fc.array(fc.nat({ max: 40 }), { maxLength: 5 }),
  }),
  before: fc.array(step, { maxLength: 3 }),
  after: fc.array(step, { maxLength: 5 }),
  /** The order of the last delivery of all events, twice. */
  shuffle: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

interface Living {
  readonly order: ReturnType<typeof anAttempt>;
  readonly paymentId: string;
  readonly intentId: string;
  attempt: number;
}

async function deliver(intentId: string, numbers: readonly number[]): Promise<void> {
  const all = (await eventsOf(room, intentId)).map(({ id }) => id);
  const events = numbers.flatMap((number) => all[number % all.length] ?? []);
  if (events.length > 0) await sendWebhooks(room, events);
}

/** What cannot be done now is refused, and that is that. */
async function happen(living: Living, what: Act): Promise<void> {
  await attemptOf(living, what).catch((error: unknown) => {
    if (!/answered 4\d\d|precondition|left|taken/i.test(String(error))) throw error;
  });
}

async function attemptOf(living: Living, what: Act): Promise<unknown> {
  const { order, paymentId, intentId } = living;
  const [entry] = await ledgerOf(room, order.orderId);
  switch (what.kind) {
    case "attempt": {
      const next = { ...order, attemptNumber: living.attempt + 1, paymentMethod: what.method };
      const answer = await room.asOrder.initiatePayment(next);
      living.attempt += 1;
      return answer;
    }
    case "browser":
      return await atSandbox(room, `pay/${intentId}`, { payment_method: what.method });
    case "bank":
      return await atSandbox(room, `3ds/${intentId}/${what.outcome}`, {});
    case "refund":
      return await room.asOperator.refundPayment({
        paymentId,
        requestId: randomUUID(),
        amount: { currencyCode: "EUR", minorUnits: BigInt(what.amount) },
        reason: RefundReason.DUPLICATE,
      });
    case "dashboard-refund":
      return await atSandbox(room, "refunds", { payment_intent: intentId, amount: what.amount });
    case "refund-fails":
      return await atSandbox(room, `refunds/${entry?.refunds.at(-1)?.id ?? "none"}/fail`, {});
    case "dispute":
      return await atSandbox(room, "disputes", { payment_intent: intentId });
    case "decision":
      return await atSandbox(
        room,
        `disputes/${entry?.disputes.at(-1)?.id ?? "none"}/${what.outcome}`,
        {},
      );
  }
}

async function begin({ first }: Life): Promise<Living> {
  const order = anAttempt({ paymentMethod: first });
  await withoutWebhooks(room, order.orderId);
  const { id, paymentIntentId } = paymentOf(await room.asOrder.initiatePayment(order));
  return { order, paymentId: id, intentId: paymentIntentId, attempt: 1 };
}

async function live(living: Living, steps: Life["after"]): Promise<void> {
  for (const { act: what, deliveries } of steps) {
    await happen(living, what);
    await deliver(living.intentId, deliveries);
  }
}

/** In the end every event comes, twice, in any order. */
async function deliverAll({ intentId }: Living, { shuffle }: Life): Promise<void> {
  const all = (await eventsOf(room, intentId)).map(({ id }) => id);
  const order = [...all, ...all]
    .map((id, index) => ({ id, key: shuffle[index % shuffle.length] ?? 0 }))
    .toSorted((a, b) => a.key - b.key);
  await sendWebhooks(
    room,
    order.map(({ id }) => id),
  );
  await eventually(async () => {
    const inbox = await inboxOf(room, intentId);
    expect(inbox.map(({ id }) => id).toSorted()).toEqual(all.toSorted());
    expect(inbox.filter(({ status }) => status === "RECEIVED")).toEqual([]);
  });
}

/** Stripe's own word for it, in ours. */
async function truthOf(intentId: string): Promise<string> {
  const { paymentIntents } = atDashboard(room);
  const { status, last_payment_error: error } = await paymentIntents.retrieve(intentId);
  if (status === "requires_payment_method") return error ? "FAILED" : "REQUIRES_PAYMENT_METHOD";
  return status === "canceled" ? "CANCELLED" : status.toUpperCase();
}

async function isWhatStripeHas({ order, intentId }: Living): Promise<void> {
  const payment = await checkPayment(room, order.orderId);
  const [ledger] = await ledgerOf(room, order.orderId);
  expect(PaymentStatus[payment.status]).toBe(await truthOf(intentId));
  expect(ledger?.charges).toBe(payment.status === PaymentStatus.SUCCEEDED ? 1 : 0);
  expect(Number(payment.refunded?.minorUnits)).toBe(ledger?.refunded);
  const byId = (a: string, b: string) => a.localeCompare(b);
  // One that Stripe refused is ours alone, and FAILED.
  const made = payment.refunds.flatMap((one) => one.stripeRefundId || []);
  expect(made.toSorted(byId)).toEqual((ledger?.refunds ?? []).map(({ id }) => id).toSorted(byId));
  expect(payment.disputes.map(({ id }) => id).toSorted(byId)).toEqual(
    (ledger?.disputes ?? []).map(({ id }) => id).toSorted(byId),
  );
  expect(payment.disputed).toBe(
    (ledger?.disputes ?? []).some(({ status }) => status !== "won" && status !== "warning_closed"),
  );
}

/** One event per real change: of the status, of each refund, of each dispute. */
async function isToldOnce({ order }: Living): Promise<void> {
  const events = await publishedOf(room, order.orderId);
  const told = Map.groupBy(
    events.map((event) => {
      if (event.case === "paymentStatusUpdated")
        return { of: "status", is: PaymentStatus[event.value.status] };
      if (event.case === "paymentRefunded")
        return { of: event.value.refund?.id, is: String(event.value.refund?.status) };
      return event.case === "paymentDisputed"
        ? { of: event.value.dispute?.id, is: String(event.value.dispute?.status) }
        : { of: "unknown", is: "" };
    }),
    ({ of }) => of,
  );
  for (const [of, changes] of told) {
    const states = changes.map(({ is }) => is);
    expect(states.filter((is, index) => is === states[index - 1])).toEqual([]);
    const paid = states.indexOf("SUCCEEDED");
    if (of === "status" && paid >= 0) expect(paid).toBe(states.length - 1);
  }
}

test("whatever the order of its events, a payment ends as Stripe has it, and tells each change once", async () => {
  const lives = fc.array(life, { minLength: LIVES, maxLength: LIVES });
  const property = fc.asyncProperty(lives, fc.boolean(), async (all, restarts) => {
    const living = await Promise.all(all.map(async (one) => ({ one, is: await begin(one) })));
    await Promise.all(living.map(({ one, is }) => live(is, one.before)));
    if (restarts) await restart();
    await Promise.all(living.map(({ one, is }) => live(is, [one.paid, ...one.after])));
    if (restarts) await restart();
    await Promise.all(living.map(({ one, is }) => deliverAll(is, one)));
    for (const { is } of living) {
      await isWhatStripeHas(is);
      await isToldOnce(is);
    }
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});

async function restart(): Promise<void> {
  await room.stop();
  await room.start();
}

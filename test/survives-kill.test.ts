// The promise: an accepted order is never lost and nothing is done twice, whichever service is killed in the middle of the work.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { NotificationEventSchema } from "../gen/waybill/notification/v1/notification_event_pb.js";
import { CreateOrderResponseSchema } from "../gen/waybill/order/v1/order_service_pb.js";
import { SERVICES } from "../dev/stack/stack-file.ts";
import { takeControl } from "./harness/control.ts";
import { eventually } from "./harness/eventually.ts";
import { messageOf } from "./harness/http.ts";
import { newCustomer, type Person } from "./harness/people.ts";
import { counts, lockTable, query } from "./harness/rows.ts";
import {
  faultsToCome,
  faultsUntilDone,
  mailsTo,
  orderFault,
  stripePayments,
} from "./harness/sandbox.ts";
import { anOrder, postOrder } from "./harness/shop.ts";
import { openTopics, type Topics } from "./harness/topics.ts";

const ORDERS_PER_S = 20;
const LOAD_S = 6;
/** How long a provider takes with calls whose caller is killed meanwhile. */
const LATE_MS = 1500;
/** Leases of 10 s run out first: of attempts to charge, and of mails that were being sent. */
const SETTLED_WITHIN_MS = 45_000;

const place = inject("shared");
const launcher = await takeControl(inject("control"));
let topics: Topics;
beforeAll(async () => {
  topics = await openTopics(place, [NotificationEventSchema]);
});
afterAll(() => topics?.[Symbol.asyncDispose]());

test("each service is killed under load: every accepted order is paid, charged once and told by two mails", async () => {
  const alice = await newCustomer(place);

  const [orders] = await Promise.all([underLoad(alice), killEach()]);

  expect(new Set(orders.map(({ id }) => id)).size).toBe(ORDERS_PER_S * LOAD_S);
  await eventually(() => allPaid(alice, orders.length), { withinMs: SETTLED_WITHIN_MS });
  await eventually(() => allTold(alice, orders), { withinMs: SETTLED_WITHIN_MS });
  await eventually(nothingIsStuck, { withinMs: SETTLED_WITHIN_MS });
  await chargedOnce(orders);
  await eventually(() => sentOncePerMail(orders));
  // Looked at again when all has come to rest: a second mail would come late.
  await allTold(alice, orders);
}, 120_000);

interface Accepted {
  readonly id: string;
  readonly number: string;
}

/** Customers who order at a steady rate, and who try again, under the same key, when they get no answer. */
async function underLoad(who: Person): Promise<Accepted[]> {
  const began = performance.now();
  return await Promise.all(
    Array.from({ length: ORDERS_PER_S * LOAD_S }, async (_, index) => {
      await pause(Math.max(0, began + (index * 1000) / ORDERS_PER_S - performance.now()));
      const headers = { "idempotency-key": randomUUID() };
      return await eventually(
        async () => {
          const answer = await postOrder(place, who, anOrder(), { headers });
          // Only these say: try again. Anything else would be a customer told something untrue.
          if (answer.status !== 200) expect([503, 504, 409]).toContain(answer.status);
          const { order } = messageOf(CreateOrderResponseSchema, answer);
          if (order === undefined) throw new Error("no order");
          return { id: order.id, number: order.number };
        },
        { withinMs: SETTLED_WITHIN_MS },
      );
    }),
  );
}

/** Not those by which older payments are looked at now and then. */
const NEW_PAYMENTS = { provider: "stripe", operation: "payment_intents.create" };

/** Each at its worst moment: half of what it asks for is done after its death, half is never done. */
async function killEach(): Promise<void> {
  await using _ = faultsUntilDone(place);
  await struck(NEW_PAYMENTS);
  await launcher.kill("payment", "SIGKILL");

  await struck({ provider: "resend" });
  await killWhileItApplies("notification");

  await killWhileItApplies("order");

  await eventually(() => isBack("payment"));
  await orderFault(place, { ...NEW_PAYMENTS, fault: "latency", latencyMs: LATE_MS, count: 4 });
  await noneToCome();
  await launcher.kill("gateway", "SIGKILL");
  for (const name of SERVICES) await eventually(() => isBack(name));
}

/** Returns when eight calls to the provider are under way, which end later than their caller. */
async function struck(calls: Readonly<Record<string, string>>): Promise<void> {
  const late = { ...calls, latencyMs: LATE_MS, count: 4 };
  await orderFault(place, { ...late, fault: "latency" });
  await orderFault(place, { ...late, fault: "drop" });
  await noneToCome();
}

const noneToCome = () => eventually(async () => expect(await faultsToCome(place)).toEqual([]));

/** In the middle of the transactions in which it applies events. */
async function killWhileItApplies(name: "order" | "notification"): Promise<void> {
  await using locked = await lockTable(place, name, "inbox");
  await eventually(async () => expect(await locked.waiting()).toBeGreaterThan(0));
  await launcher.kill(name, "SIGKILL");
}

async function isBack(name: (typeof SERVICES)[number]): Promise<void> {
  expect(await launcher.said()).toContainEqual(expect.stringMatching(`^${name} is back`));
}

async function allPaid(who: Person, count: number): Promise<void> {
  const text = "select status, count(*)::int from orders where customer_id = $1 group by status";
  expect(await query(place, "order", text, [who.id])).toEqual([{ status: "PAID", count }]);
}

async function chargedOnce(orders: readonly Accepted[]): Promise<void> {
  const payments = await stripePayments(place);
  const byOrder = Map.groupBy(payments, ({ metadata }) => metadata["order_id"] ?? "");
  for (const { id } of orders)
    expect(byOrder.get(id)).toMatchObject([{ status: "succeeded", charges: 1 }]);
}

async function allTold(who: Person, orders: readonly Accepted[]): Promise<void> {
  const mails = await mailsTo(place, who.email);
  const wanted = orders.flatMap(({ number }) => [
    `Your order ${number}`,
    `Payment received for your order ${number}`,
  ]);
  expect(mails.map(({ subject }) => subject).toSorted()).toEqual(wanted.toSorted());
  expect(new Set(mails.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(mails.length);
}

async function nothingIsStuck(): Promise<void> {
  const tables = ["outbox", "outbox_parked", "held_event"];
  for (const store of ["order", "payment", "notification"] as const) {
    expect(await counts(place, store, tables)).toEqual({
      outbox: 0,
      outbox_parked: 0,
      held_event: 0,
    });
  }
}

/** A record may be there twice, for a relay may die before it hears that the broker has it; then it is the same event. */
function sentOncePerMail(orders: readonly Accepted[]): void {
  const ids = new Set(orders.map(({ id }) => id));
  const records = topics.records(NotificationEventSchema).filter(({ key }) => ids.has(key));
  const eventIds = new Set(records.map(({ headers }) => headers["ce_id"]));
  const notifications = new Set(records.map(({ event }) => event.notificationId));
  expect(eventIds.size).toBe(orders.length * 2);
  expect(notifications.size).toBe(orders.length * 2);
}

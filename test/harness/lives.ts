// Lives whole orders on a running stack, many at a time, while its processes die.
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { eventually } from "./eventually.ts";
import type { History } from "./history.ts";
import { judgeLife, type Living } from "./judge-life.ts";
import { type Act, lastDelivery, type Life, type Step } from "./life.ts";
import { cancelOrder, payOrder, refundPayment, seenByOperator } from "./orders.ts";
import { newCustomer } from "./people.ts";
import type { Place } from "./place.ts";
import {
  atDashboard,
  inBrowser,
  type StripeEvent,
  stripeEventsOf,
  stripePaymentsOf,
} from "./sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, placeOrder } from "./shop.ts";

export interface Lived {
  readonly orderIds: readonly string[];
  /** How many orders ended in each status. */
  readonly ends: Readonly<Record<string, number>>;
  /** How many of Stripe's events there were. */
  readonly events: number;
  /** What is not as it should be, each with its order. Empty: all is well. */
  readonly wrong: readonly string[];
}

export interface Surroundings {
  readonly history: History;
  /** Kills something, and comes back when all serves again. */
  readonly strike: () => Promise<void>;
}

/** All at the same time, with a death before, in the middle of, and after what happens. No webhook is delivered by itself: hold them. */
export async function liveAll(
  place: Place,
  lives: readonly Life[],
  { history, strike }: Surroundings,
): Promise<Lived> {
  const all = await Promise.all(
    lives.map(async (life) => ({ life, living: await begin(place, life) })),
  );
  const each = (steps: (life: Life) => readonly Step[]) =>
    Promise.all(all.map(({ life, living }) => live(living, steps(life))));
  await each(({ before }) => before);
  await strike();
  await each(({ after }) => after);
  const events = await Promise.all(all.map(({ living }) => stripeEventsOf(place, living.intentId)));
  const deliver = (turn: (life: Life, own: readonly StripeEvent[]) => readonly StripeEvent[]) =>
    all.map(({ life, living }, at) => send(living, turn(life, events[at] ?? [])));
  await Promise.all([...deliver((life, own) => lastDelivery(own, life)), strike()]);
  // What came while Payment was away was lost: Stripe sends it again.
  await Promise.all(deliver((_, own) => own));
  const judged = await Promise.all(
    all.map(({ living }, at) => judgeLife(living, events[at] ?? [], history)),
  );
  await Promise.all(all.map(({ living }) => closeUp(living)));
  const ends = Map.groupBy(judged, ({ end }) => end);
  return {
    orderIds: all.map(({ living }) => living.orderId),
    ends: Object.fromEntries([...ends].map(([end, { length }]) => [end, length])),
    events: events.flat().length,
    wrong: judged.flatMap(({ wrong }, at) =>
      wrong.map(
        (finding) => `order ${all[at]?.living.orderId}: ${finding} (${JSON.stringify(lives[at])})`,
      ),
    ),
  };
}

async function begin(place: Place, { first }: Life): Promise<Living> {
  const alice = await newCustomer(place);
  const { order } = await placeOrder(
    place,
    alice,
    first === "" ? anUnpaidOrder() : anOrder({ paymentMethod: first }),
  );
  const [intent] = await eventually(async () => {
    const intents = await stripePaymentsOf(place, order.id);
    if (intents.length !== 1) throw new Error(`${intents.length} PaymentIntents`);
    return intents;
  });
  return { place, alice, orderId: order.id, intentId: intent?.id ?? "" };
}

/** What cannot be done now is refused, or its answer is lost with a process, and that is that: the end is what counts. */
async function live(living: Living, steps: readonly Step[]): Promise<void> {
  for (const { act, deliveries } of steps) {
    await happen(living, act).catch(() => undefined);
    const all = await stripeEventsOf(living.place, living.intentId);
    const some = deliveries.flatMap((number) => all[number % all.length] ?? []);
    if (some.length > 0) await send(living, some);
  }
}

async function happen(living: Living, act: Act): Promise<unknown> {
  const { place, alice, orderId, intentId } = living;
  const [entry] = await stripePaymentsOf(place, orderId);
  switch (act.kind) {
    case "attempt":
      return await payOrder(place, alice, orderId, { paymentMethod: act.method });
    case "browser":
      return await inBrowser(place, `pay/${intentId}`, { payment_method: act.method });
    case "bank":
      return await inBrowser(place, `3ds/${intentId}/${act.outcome}`);
    case "refund": {
      const { atPayment } = await seenByOperator(place, orderId);
      const amount = { currencyCode: "EUR", minorUnits: String(act.amount) };
      return await refundPayment(place, atPayment.id, { amount });
    }
    case "dashboard-refund":
      return await inBrowser(place, "refunds", { payment_intent: intentId, amount: act.amount });
    case "refund-fails":
      return await inBrowser(place, `refunds/${entry?.refunds.at(-1)?.id ?? "none"}/fail`);
    case "dispute":
      return await inBrowser(place, "disputes", { payment_intent: intentId });
    case "decision":
      return await inBrowser(
        place,
        `disputes/${entry?.disputes.at(-1)?.id ?? "none"}/${act.outcome}`,
      );
    case "cancel":
      return await cancelOrder(place, alice, orderId);
    case "dashboard-cancel":
      return await atDashboard(place).paymentIntents.cancel(intentId);
    default:
      return act satisfies never;
  }
}

const send = ({ place }: Living, events: readonly StripeEvent[]): Promise<void> =>
  inBrowser(place, "webhooks/send", { events: events.map(({ id }) => id) });

/** Nothing is left that waits for somebody: what is not paid is cancelled, when its bank has refused. */
async function closeUp({ place, alice, orderId, intentId }: Living): Promise<void> {
  const { order } = await seenByOperator(place, orderId);
  if (FINAL.has(order.status)) return;
  await inBrowser(place, `3ds/${intentId}/fail`).catch(() => undefined); // nobody asked the bank
  await cancelOrder(place, alice, orderId);
  await becomes(place, alice, orderId, "CANCELLED");
}

const FINAL = new Set([OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.EXPIRED]);

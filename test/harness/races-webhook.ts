// Two of Stripe's webhooks at once: each event twice in the same moment, and the news of a failure beside that of the success.
import { eventually } from "./eventually.ts";
import { intentIn, seenByOperator } from "./orders.ts";
import { newCustomer } from "./people.ts";
import type { Place } from "./place.ts";
import type { Race, RaceResult } from "./races.ts";
import { query } from "./rows.ts";
import { inBrowser, orderFault, stripeEventsOf, stripePaymentsOf } from "./sandbox.ts";
import { anUnpaidOrder, placeOrder } from "./shop.ts";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";

/** So many rounds run at a time. */
const ABREAST = 10;
const EACH_TWICE = 2;
/** Of one order: a failed payment and a successful one have fewer. */
const EVENTS_AT_MOST = 50;

/** The customer's card is declined, then another one pays; all that Stripe has to tell of it comes in the same moment, twice. */
export const twoWebhooks: Race = async (place, { rounds }) => {
  const ends: (readonly [outcome: string, wrong: readonly string[]])[] = [];
  for (let first = 0; first < rounds; first += ABREAST) {
    const wave = Array.from({ length: Math.min(ABREAST, rounds - first) }, () => round(place));
    ends.push(...(await Promise.all(wave)));
  }
  const outcomes = Map.groupBy(ends, ([outcome]) => outcome);
  const result: RaceResult = {
    outcomes: Object.fromEntries([...outcomes].map(([name, { length }]) => [name, length])),
    wrong: ends.flatMap(([, wrong]) => wrong),
  };
  return result;
};

async function round(place: Place): Promise<readonly [outcome: string, wrong: readonly string[]]> {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  const metadata = { order_id: order.id };
  const count = EVENTS_AT_MOST;
  await orderFault(place, { provider: "stripe", fault: "webhook_hold", metadata, count });
  const intent = intentIn(payment);
  const declined = { payment_method: "pm_card_chargeDeclined" };
  await inBrowser(place, `pay/${intent}`, declined).catch(() => undefined); // Stripe says so, too
  await inBrowser(place, `pay/${intent}`, { payment_method: "pm_card_visa" });
  const events = (await stripeEventsOf(place, intent)).map(({ id }) => id);

  const twice = Array.from({ length: EACH_TWICE }, () => events).flat();
  await Promise.all(twice.map((id) => inBrowser(place, "webhooks/send", { events: [id] })));

  return await eventually(() => isPaidOnce(place, order.id, events));
}

/** Waits until the events are done with and the order is PAID; then counts. */
async function isPaidOnce(
  place: Place,
  orderId: string,
  events: readonly string[],
): Promise<readonly [outcome: string, wrong: readonly string[]]> {
  const { order, atPayment } = await seenByOperator(place, orderId);
  if (order.status !== OrderStatus.PAID) throw new Error(`order ${orderId} is not PAID`);
  const inbox = await query<{ status: string; due: boolean }>(
    place,
    "payment",
    `select status, due_time is not null as due from stripe_events where payment_intent_id = $1`,
    [atPayment.paymentIntentId],
  );
  if (inbox.length < events.length || inbox.some(({ due }) => due))
    throw new Error(`order ${orderId}: not all of its events are done with`);
  const [paid] = await query<{ paid: number; told: number }>(
    place,
    "order",
    `select count(*) filter (where type = 'order.paid')::int as paid from timeline_entries
     where order_id = $1`,
    [orderId],
  );
  const intents = await stripePaymentsOf(place, orderId);
  const counted = {
    "events in the inbox": [inbox.length, events.length],
    "times that the order became PAID": [paid?.paid, 1],
    PaymentIntents: [intents.length, 1],
    charges: [intents[0]?.charges, 1],
  } as const;
  const wrong = Object.entries(counted).flatMap(([what, [is, should]]) =>
    is === should ? [] : [`order ${orderId}: ${what}: ${is} instead of ${should}`],
  );
  const applied = inbox.filter(({ status }) => status === "APPLIED").length;
  return [`${applied} of ${inbox.length} events applied`, wrong];
}

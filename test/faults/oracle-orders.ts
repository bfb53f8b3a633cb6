// The oracle's view of the orders: each ends PAID, with one charge and its two mails, and nothing is there twice.
import type { Facts, Findings } from "./facts.ts";
import { eventsOf, firstDeliveries } from "./oracle-topics.ts";

/** What happens to an order that is paid, by topic: each event so often. */
const LIFE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "order-events": { "order.created": 1, "order.paid": 1 },
  "payment-events": { "payment.created": 1 },
  "payment-status-updates": { "payment.status-updated SUCCEEDED": 1 },
  "notification-events": { "notification.sent": 2 },
};
const TEMPLATES = ["order-created", "payment-succeeded"];

export function judgeOrders(facts: Facts, found: Findings): void {
  const orders = new Map(facts.orders.map((order) => [order.id, order]));
  for (const { id, number, minorUnits } of facts.accepted) {
    const order = orders.get(id);
    if (order === undefined) found.lost.push(`order ${id} (${number}): accepted, but not stored`);
    else if (order.minorUnits !== minorUnits || order.number !== number)
      found.wrong.push(`order ${id}: accepted as ${number} for ${minorUnits}, stored otherwise`);
  }
  for (const { id, status } of facts.orders) {
    if (status !== "PAID") found.wrong.push(`order ${id}: ended ${status}`);
  }
  judgeMoney(facts, found);
  judgeMails(facts, found);
  judgeLives(facts, found);
}

function judgeMoney(facts: Facts, found: Findings): void {
  const intents = Map.groupBy(facts.intents, ({ orderId }) => orderId);
  const payments = Map.groupBy(facts.payments, ({ orderId }) => orderId);
  let asked = 0;
  for (const { id, minorUnits } of facts.orders) {
    asked += minorUnits;
    const own = intents.get(id) ?? [];
    const charges = own.reduce((sum, intent) => sum + intent.charges, 0);
    once(found, own.length, `order ${id}: payment intents at the provider`);
    once(found, charges, `order ${id}: charges`);
    once(found, payments.get(id)?.length ?? 0, `order ${id}: payments`);
    for (const { amount } of own) {
      if (amount !== minorUnits)
        found.wrong.push(`order ${id}: costs ${minorUnits}, charged ${amount}`);
    }
    intents.delete(id);
  }
  for (const { orderId, status } of facts.payments) {
    if (status !== "SUCCEEDED") found.wrong.push(`order ${orderId}: its payment ended ${status}`);
  }
  for (const [orderId, [intent]] of intents)
    found.wrong.push(
      `payment intent ${intent?.id ?? ""}: for an order ${orderId} that is not stored`,
    );
  const taken = facts.intents.reduce((sum, { amount, charges }) => sum + amount * charges, 0);
  if (taken !== asked) found.wrong.push(`money: the orders cost ${asked}, charged were ${taken}`);
}

function judgeMails(facts: Facts, found: Findings): void {
  const mails = Map.groupBy(facts.mails, ({ subject }) => subject);
  const rows = Map.groupBy(
    facts.notifications,
    ({ orderId, template }) => `${orderId} ${template}`,
  );
  for (const { id, number } of facts.orders) {
    for (const subject of [`Your order ${number}`, `Payment received for your order ${number}`]) {
      once(found, mails.get(subject)?.length ?? 0, `order ${id}: mails "${subject}"`);
      mails.delete(subject);
    }
    for (const template of TEMPLATES) {
      once(found, rows.get(`${id} ${template}`)?.length ?? 0, `order ${id}: messages ${template}`);
      rows.delete(`${id} ${template}`);
    }
  }
  for (const subject of mails.keys()) found.wrong.push(`mail "${subject}": of no order`);
  for (const name of rows.keys()) found.wrong.push(`message ${name}: nothing asked for it`);
  for (const { id, status } of facts.notifications) {
    if (status !== "SENT") found.wrong.push(`message ${id}: ended ${status}`);
  }
}

/** Each order has the events that its life consists of: an effect that is there twice would have told of itself twice. */
function judgeLives(facts: Facts, found: Findings): void {
  const counts = new Map<string, number>();
  for (const { topic, key, type } of firstDeliveries(eventsOf(facts))) {
    const name = `${plain(topic)} ${key} ${type}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const wanted = Object.entries(LIFE).flatMap(([topic, types]) =>
    Object.entries(types).map(([type, times]) => ({ topic, type, times })),
  );
  for (const { id } of facts.orders) {
    for (const { topic, type, times } of wanted) {
      const count = counts.get(`${topic} ${id} ${type}`) ?? 0;
      once(found, count, `order ${id}: events ${type}`, times);
    }
  }
}

/** Of `order-events` with a namespace before it. */
const plain = (topic: string): string => topic.slice(topic.lastIndexOf(".") + 1);

function once(found: Findings, count: number, what: string, times = 1): void {
  if (count < times) found.lost.push(`${what}: ${count} in place of ${times}`);
  if (count > times) found.doubled.push(`${what}: ${count} in place of ${times}`);
}

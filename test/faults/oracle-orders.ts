// The oracle's view of the orders: each ends PAID, unless it was raced for, and has the events that such a life consists of.
import { once } from "./count.ts";
import type { Facts, Findings } from "./facts.ts";
import { eventsOf, firstDeliveries } from "./oracle-topics.ts";

/** What happens to an order that ends so, by topic: each event so often. */
const LIVES: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>> =
  {
    PAID: {
      "order-events": {
        "order.created": 1,
        "order.paid": 1,
        "order.cancelled": 0,
        "order.expired": 0,
      },
      "payment-events": { "payment.created": 1 },
      "payment-status-updates": {
        "payment.status-updated SUCCEEDED": 1,
        "payment.status-updated CANCELLED": 0,
      },
    },
    CANCELLED: unpaid({ "order.cancelled": 1, "order.expired": 0 }, 1),
    EXPIRED: unpaid({ "order.cancelled": 0, "order.expired": 1 }, 1),
    FAILED: unpaid({ "order.cancelled": 0, "order.expired": 0 }, 0),
  };

function unpaid(ends: Readonly<Record<string, number>>, cancelled: number) {
  return {
    "order-events": { "order.created": 1, "order.paid": 0, ...ends },
    "payment-events": { "payment.created": 1 },
    "payment-status-updates": {
      "payment.status-updated SUCCEEDED": 0,
      "payment.status-updated CANCELLED": cancelled,
    },
  };
}

export function judgeOrders(facts: Facts, found: Findings): void {
  const orders = new Map(facts.orders.map((order) => [order.id, order]));
  for (const { id, number, minorUnits } of facts.accepted) {
    const order = orders.get(id);
    if (order === undefined) found.lost.push(`order ${id} (${number}): accepted, but not stored`);
    else if (order.minorUnits !== minorUnits || order.number !== number)
      found.wrong.push(`order ${id}: accepted as ${number} for ${minorUnits}, stored otherwise`);
  }
  for (const { id, status } of facts.orders) {
    const mayEndSo = status === "PAID" || (facts.raced.has(id) && Object.hasOwn(LIVES, status));
    if (!mayEndSo) found.wrong.push(`order ${id}: ended ${status}`);
  }
  judgeLives(facts, found);
}

/** Each order has the events that its life consists of: an effect that is there twice would have told of itself twice. */
function judgeLives(facts: Facts, found: Findings): void {
  const counts = new Map<string, number>();
  for (const { topic, key, type } of firstDeliveries(eventsOf(facts))) {
    const name = `${plain(topic)} ${key} ${type}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const messages = Map.groupBy(facts.notifications, ({ orderId }) => orderId);
  for (const { id, status } of facts.orders) {
    const wanted = {
      ...LIVES[status],
      "notification-events": { "notification.sent": messages.get(id)?.length ?? 0 },
    };
    for (const [topic, types] of Object.entries(wanted)) {
      for (const [type, times] of Object.entries(types)) {
        const count = counts.get(`${topic} ${id} ${type}`) ?? 0;
        once(found, count, `order ${id}: events ${type}`, times);
      }
    }
  }
}

/** Of `order-events` with a namespace before it. */
const plain = (topic: string): string => topic.slice(topic.lastIndexOf(".") + 1);

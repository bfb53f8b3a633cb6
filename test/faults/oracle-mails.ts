// The oracle's view of the mails: each order has those that its life calls for, once, and what was sent is what was stored.
import { once } from "./count.ts";
import type { Facts, Findings } from "./facts.ts";
import { eventsOf, firstDeliveries } from "./oracle-topics.ts";

/** What the customer is told of an order that ended so, beside that it was taken. */
const TOLD_OF: Readonly<Record<string, string>> = {
  PAID: "payment-succeeded",
  CANCELLED: "order-cancelled",
  EXPIRED: "order-expired",
};
const OF_THE_END = Object.values(TOLD_OF);
const OF_REFUSALS = "payment-failed";
const OF_REFUNDS = new Set(["payment-refunded", "payment-returned"]);

export function judgeMails(facts: Facts, found: Findings): void {
  const messages = Map.groupBy(facts.notifications, ({ orderId }) => orderId);
  const payments = new Map(facts.payments.map((payment) => [payment.orderId, payment]));
  const refusals = countBy(
    firstDeliveries(eventsOf(facts)).filter(({ type }) => type === "order.failed"),
    ({ key }) => key,
  );
  for (const order of facts.orders) {
    const own = messages.get(order.id) ?? [];
    messages.delete(order.id);
    judgeMessages(order, own, { found, refusals: refusals.get(order.id) ?? 0 });
    judgeRefundMessages(order.id, own, { found, payment: payments.get(order.id) });
  }
  for (const [orderId, [first]] of messages)
    found.wrong.push(`message ${orderId} ${first?.template ?? ""}: nothing asked for it`);
  for (const { id, status } of facts.notifications) {
    if (status !== "SENT") found.wrong.push(`message ${id}: ended ${status}`);
  }
  judgeSent(facts, found);
}

type Message = Facts["notifications"][number];

function judgeMessages(
  { id, status }: Facts["orders"][number],
  messages: readonly Message[],
  { found, refusals }: { found: Findings; refusals: number },
): void {
  const counts = countBy(messages, ({ template }) => template);
  const wanted = {
    "order-created": 1,
    [OF_REFUSALS]: refusals,
    ...Object.fromEntries(
      OF_THE_END.map((template) => [template, Number(template === TOLD_OF[status])]),
    ),
  };
  for (const [template, times] of Object.entries(wanted)) {
    once(found, counts.get(template) ?? 0, `order ${id}: messages ${template}`, times);
    counts.delete(template);
  }
  for (const template of counts.keys()) {
    if (!OF_REFUNDS.has(template))
      found.wrong.push(`message ${id} ${template}: nothing asked for it`);
  }
}

/** One that failed later may have been told of. */
function judgeRefundMessages(
  id: string,
  messages: readonly Message[],
  { found, payment }: { found: Findings; payment: Facts["payments"][number] | undefined },
): void {
  const told = messages.filter(({ template }) => OF_REFUNDS.has(template)).length;
  const least = payment?.goodRefunds ?? 0;
  const most = payment?.refunds ?? 0;
  if (told < least || told > most)
    once(found, told, `order ${id}: messages of refunds`, told < least ? least : most);
}

/** By what they say: a mail that went out twice is there twice, whatever the rows know. */
function judgeSent(facts: Facts, found: Findings): void {
  const sent = countBy(facts.mails, ({ subject }) => subject);
  const stored = countBy(facts.notifications, ({ subject }) => subject);
  for (const [subject, times] of stored) {
    once(found, sent.get(subject) ?? 0, `mails "${subject}"`, times);
    sent.delete(subject);
  }
  for (const subject of sent.keys()) found.wrong.push(`mail "${subject}": of no order`);
}

const countBy = <T>(all: readonly T[], nameOf: (one: T) => string): Map<string, number> =>
  new Map([...Map.groupBy(all, nameOf)].map(([name, { length }]) => [name, length]));

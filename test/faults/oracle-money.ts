// The oracle's view of the money: what the provider's ledger has of an order is what Payment and Order say, charges and refunds.
import { once } from "./count.ts";
import type { Facts, Findings } from "./facts.ts";

/** How the payment of an order ends that ends so. */
const PAYMENT_ENDS: Readonly<Record<string, string>> = {
  PAID: "SUCCEEDED",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
  EXPIRED: "CANCELLED",
};

type Order = Facts["orders"][number];
type Intent = Facts["intents"][number];

export function judgeMoney(facts: Facts, found: Findings): void {
  const intents = Map.groupBy(facts.intents, ({ orderId }) => orderId);
  const payments = Map.groupBy(facts.payments, ({ orderId }) => orderId);
  let due = 0;
  for (const order of facts.orders) {
    const { id, status, minorUnits, refunded } = order;
    if (status === "PAID") due += minorUnits - refunded;
    judgeIntents(order, intents.get(id) ?? [], found);
    judgePayment(order, payments.get(id) ?? [], found);
    intents.delete(id);
  }
  for (const [orderId, [intent]] of intents)
    found.wrong.push(
      `payment intent ${intent?.id ?? ""}: for an order ${orderId} that is not stored`,
    );
  const kept = facts.intents.reduce((sum, { charged, refunded }) => sum + charged - refunded, 0);
  if (kept !== due)
    found.wrong.push(`money: ${due} are owed for the orders, charges less refunds are ${kept}`);
}

/** One PaymentIntent, and one charge if the order is PAID, none otherwise. */
function judgeIntents(order: Order, intents: readonly Intent[], found: Findings): void {
  const { id, status, minorUnits, refunded } = order;
  const isPaid = status === "PAID";
  const sum = (of: (intent: Intent) => number) =>
    intents.reduce((all, intent) => all + of(intent), 0);
  once(found, intents.length, `order ${id}: payment intents at the provider`);
  once(
    found,
    sum(({ charges }) => charges),
    `order ${id}: charges`,
    isPaid ? 1 : 0,
  );
  const wanted = [
    ["costs", isPaid ? minorUnits : 0, "charged", sum(({ charged }) => charged)],
    ["knows of refunds of", refunded, "given back", sum((intent) => intent.refunded)],
  ] as const;
  for (const [verb, should, did, is] of wanted)
    if (is !== should) found.wrong.push(`order ${id}: ${verb} ${should}, ${did} ${is}`);
}

function judgePayment(
  { id, status, refunded }: Order,
  payments: Facts["payments"],
  found: Findings,
): void {
  once(found, payments.length, `order ${id}: payments`);
  for (const payment of payments) {
    if (payment.status !== PAYMENT_ENDS[status])
      found.wrong.push(`order ${id}: ended ${status}, its payment ended ${payment.status}`);
    if (payment.refunded !== refunded)
      found.wrong.push(
        `order ${id}: knows of refunds of ${refunded}, its payment has ${payment.refunded}`,
      );
  }
}

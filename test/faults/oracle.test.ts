// The oracle is worth what it finds: each broken promise, put into facts that are otherwise good, has to be found.
import { expect, test } from "vitest";
import type { Facts, TopicRecord, Verdict } from "./facts.ts";
import { judge } from "./oracle.ts";

const ORDER = "order-1";
const NUMBER = "W-1";

function record(topic: string, seq: number, type: string): TopicRecord {
  const eventId = `${topic}-${seq}`;
  return { topic: `t.${topic}`, partition: 0, offset: seq - 1, key: ORDER, eventId, seq, type };
}

const created = record("order-events", 1, "order.created");
const paid = record("order-events", 2, "order.paid");
const others = [
  record("payment-events", 1, "payment.created"),
  record("payment-status-updates", 1, "payment.status-updated SUCCEEDED"),
  record("notification-events", 1, "notification.sent"),
  record("notification-events", 2, "notification.sent"),
];
const history = (topic: string, last: number) => ({ topic: `t.${topic}`, key: ORDER, last });
const message = (id: string, template: string, subject: string) => ({
  id,
  orderId: ORDER,
  template,
  subject,
  status: "SENT",
});
const CREATED_MAIL = `Your order ${NUMBER}`;
const PAID_MAIL = `Payment received for your order ${NUMBER}`;

/** One order, as it should be. */
const GOOD: Facts = {
  history: [
    history("order-events", 2),
    history("payment-events", 1),
    history("payment-status-updates", 1),
    history("notification-events", 2),
  ],
  records: [created, paid, ...others],
  consumers: [
    {
      consumer: "notification",
      topics: ["t.order-events", "t.payment-status-updates"],
      taken: ["order-events-1", "order-events-2", "payment-status-updates-1"],
    },
  ],
  accepted: [{ id: ORDER, number: NUMBER, minorUnits: 1899 }],
  orders: [{ id: ORDER, number: NUMBER, status: "PAID", minorUnits: 1899, refunded: 0 }],
  raced: new Set(),
  payments: [{ orderId: ORDER, status: "SUCCEEDED", refunded: 0, refunds: 0, goodRefunds: 0 }],
  intents: [{ id: "pi_1", orderId: ORDER, amount: 1899, charges: 1, charged: 1899, refunded: 0 }],
  notifications: [
    message("m1", "order-created", CREATED_MAIL),
    message("m2", "payment-succeeded", PAID_MAIL),
  ],
  mails: [{ subject: CREATED_MAIL }, { subject: PAID_MAIL }],
  left: { "order.outbox": 0 },
};

/** What it finds when the good facts are changed so. */
function foundIn(
  change: Partial<Facts>,
): Pick<Verdict, "lost" | "doubled" | "reordered" | "wrong"> {
  const { lost, doubled, reordered, wrong } = judge({ ...GOOD, ...change });
  return { lost, doubled, reordered, wrong };
}

const containing = (text: string) => expect.arrayContaining([expect.stringContaining(text)]);

test("good facts are good, and a record that came twice is only counted", () => {
  const nothing = { lost: [], doubled: [], reordered: [], wrong: [] };
  expect(foundIn({})).toEqual(nothing);
  const again = { ...created, offset: 2 };
  expect(judge({ ...GOOD, records: [...GOOD.records, again] })).toEqual({
    ...nothing,
    redelivered: 1,
  });
});

test("an event of the history that is not on its topic is lost, at the end as in a gap", () => {
  expect(foundIn({ records: [created, ...others] }).lost).toEqual(
    containing(`${ORDER} seq 2 of 2: not on the topic`),
  );
  expect(foundIn({ records: [paid, ...others] }).lost).toEqual(containing(`seq 1 of 2`));
});

test("two events of a key that came in the wrong order are reordered", () => {
  const swapped = [
    { ...paid, offset: 0 },
    { ...created, offset: 1 },
  ];
  expect(foundIn({ records: [...swapped, ...others] }).reordered).toEqual(
    containing("seq 1 of 2 (order.created, partition 0, offset 1): came first after seq 2"),
  );
});

test("a late second delivery is no reorder", () => {
  const late = { ...created, offset: 7 };
  expect(foundIn({ records: [created, paid, late, ...others] }).reordered).toEqual([]);
});

test("a record that no database knows is wrong", () => {
  const phantom = { ...paid, offset: 2, seq: 3, eventId: "phantom", type: "order.cancelled" };
  expect(foundIn({ records: [...GOOD.records, phantom] }).wrong).toEqual(containing("seq 3 of 2"));
  const stranger = { ...paid, key: "nobody's", eventId: "stranger" };
  expect(foundIn({ records: [...GOOD.records, stranger] }).wrong).toEqual(
    containing("a key that no database knows"),
  );
});

test("an event that a consumer never took is lost", () => {
  const topics = ["t.order-events"];
  const consumers = [{ consumer: "notification", topics, taken: ["order-events-1"] }];
  expect(foundIn({ consumers }).lost).toEqual(containing("not taken by notification"));
});

test("an accepted order that is not stored is lost", () => {
  const ghost = { id: "order-2", number: "W-2", minorUnits: 1 };
  expect(foundIn({ accepted: [...GOOD.accepted, ghost] }).lost).toEqual(
    containing("order-2 (W-2): accepted, but not stored"),
  );
});

test("a second charge, a second intent and a second mail are doubled", () => {
  const [intent] = GOOD.intents;
  const [mail] = GOOD.mails;
  if (intent === undefined || mail === undefined) throw new Error("the good facts are empty");
  expect(foundIn({ intents: [{ ...intent, charges: 2 }] }).doubled).toEqual(containing("charges"));
  expect(foundIn({ intents: [intent, { ...intent, id: "pi_2" }] }).doubled).toEqual(
    containing("payment intents"),
  );
  expect(foundIn({ mails: [...GOOD.mails, mail] }).doubled).toEqual(
    containing(`mails "Your order ${NUMBER}": 2 in place of 1`),
  );
});

test("an effect that told of itself twice is doubled, with another event as proof", () => {
  const again = { ...paid, offset: 2, seq: 3, eventId: "paid-again" };
  const records = [...GOOD.records, again];
  const longer = [history("order-events", 3), ...GOOD.history.slice(1)];
  expect(foundIn({ records, history: longer }).doubled).toEqual(containing("events order.paid"));
});

test("an order without its mail or its charge has lost it", () => {
  expect(foundIn({ mails: GOOD.mails.slice(1) }).lost).toEqual(containing("mails"));
  expect(foundIn({ intents: [] }).lost).toEqual(containing("payment intents"));
});

test("an order that did not end PAID, another amount, and rows that are left are wrong", () => {
  const orders = GOOD.orders.map((order) => ({ ...order, status: "PENDING" }));
  expect(foundIn({ orders }).wrong).toEqual(containing("ended PENDING"));
  const intents = GOOD.intents.map((intent) => ({ ...intent, amount: 1, charged: 1 }));
  expect(foundIn({ intents }).wrong).toEqual(containing("costs 1899, charged 1"));
  expect(foundIn({ left: { "order.outbox": 1 } }).wrong).toEqual(containing("1 rows are left"));
});

test("an order may end CANCELLED where it was raced for, and then nothing may be charged", () => {
  const orders = GOOD.orders.map((order) => ({ ...order, status: "CANCELLED" }));
  expect(foundIn({ orders }).wrong).toEqual(containing("ended CANCELLED"));
  const raced = new Set([ORDER]);
  const found = foundIn({ orders, raced });
  expect(found.wrong).not.toContain(`order ${ORDER}: ended CANCELLED`);
  expect(found.doubled).toEqual(containing("charges: 1 in place of 0"));
  expect(found.doubled).toEqual(containing("messages payment-succeeded: 1 in place of 0"));
  expect(found.lost).toEqual(containing("events order.cancelled"));
});

test("a refund that only one side knows of is wrong", () => {
  const intents = GOOD.intents.map((intent) => ({ ...intent, refunded: 899 }));
  expect(foundIn({ intents }).wrong).toEqual(containing("knows of refunds of 0, given back 899"));
  expect(foundIn({ intents }).wrong).toEqual(containing("charges less refunds are 1000"));
  const payments = GOOD.payments.map((payment) =>
    Object.assign({}, payment, { refunded: 899, refunds: 1, goodRefunds: 1 }),
  );
  const orders = GOOD.orders.map((order) => Object.assign({}, order, { refunded: 899 }));
  expect(foundIn({ intents, orders }).wrong).toEqual(containing("its payment has 0"));
  expect(foundIn({ intents, orders, payments }).wrong).toEqual([]);
  expect(foundIn({ intents, orders, payments }).lost).toEqual(containing("messages of refunds"));
});

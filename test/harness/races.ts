// Races between two who want something of one order, on a running stack: afterwards there is one outcome, and Stripe's ledger agrees.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "./eventually.ts";
import type { Answer } from "./http.ts";
import {
  cancelOrder,
  intentIn,
  paymentBecomes,
  payOrder,
  refundPayment,
  seenByOperator,
  statusIn,
  timeIsOver,
} from "./orders.ts";
import { newCustomer } from "./people.ts";
import type { Place } from "./place.ts";
import { inBrowser, stripePaymentsOf } from "./sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, placeOrder } from "./shop.ts";

export interface RaceResult {
  /** How often each outcome came about: { PAID: 12, CANCELLED: 8 }. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What must never be, one sentence each. Empty: all is well. */
  readonly wrong: readonly string[];
}

/** Runs the race `rounds` times, each with a customer and an order of its own. The stack is not held up by it. */
export type Race = (place: Place, o: { readonly rounds: number }) => Promise<RaceResult>;

/** So many rounds run at a time: enough to keep the services busy, few enough for each to be a race. */
const ABREAST = 10;
/** A worker that was in the middle of something when its process died leaves its lease behind, in milliseconds. */
const RESTS_WITHIN_MS = 45_000;
/** A worker looks for orders that are due at least so often, in milliseconds. */
const POLL_MS = 1000;

/** What one round left: the order, how it ended, and what was told that is not so. */
interface Round {
  readonly orderId: string;
  readonly outcome: string;
  readonly wrong: readonly string[];
}

/** The customer pays, in the browser and by PayOrder in turns, and takes the order back in the same moment. */
const cancelAgainstPay: Race = (place, { rounds }) =>
  run(place, rounds, async (round) => {
    const { alice, orderId, pay } = await anUnpaid(place, round);
    const early = (round * 7) % 30;
    const [, cancelled] = await Promise.all([
      after(round % 4 < 2 ? early : 0, pay),
      after(round % 4 < 2 ? 0 : early, () => cancelOrder(place, alice, orderId)),
    ]);
    const outcome = await comesToRest(place, orderId, ["PAID", "CANCELLED"]);
    const told = cancelled.status === 200 ? statusIn(cancelled) : outcome;
    const wrong = told === outcome ? [] : [`CancelOrder said ${told}, and it ended ${outcome}`];
    return { orderId, outcome, wrong };
  });

/** The order's time is over, and the customer pays all the same. */
const expireAgainstPay: Race = (place, { rounds }) =>
  run(place, rounds, async (round) => {
    const { orderId, pay } = await anUnpaid(place, round);
    await timeIsOver(place, orderId);
    await after((round * 53) % POLL_MS, pay);
    return {
      orderId,
      outcome: await comesToRest(place, orderId, ["PAID", "EXPIRED"]),
      wrong: [],
    };
  });

/** After a refusal the customer pays by two cards at once, by one of them twice under one key. */
const twoPayOrders: Race = (place, { rounds }) =>
  run(place, rounds, async () => {
    const alice = await newCustomer(place);
    const refused = anOrder({ paymentMethod: "pm_card_chargeDeclined" });
    const orderId = (await placeOrder(place, alice, refused)).order.id;
    await becomes(place, alice, orderId, "FAILED");
    const visa = { paymentMethod: "pm_card_visa", requestId: randomUUID() };
    const mastercard = { paymentMethod: "pm_card_mastercard", requestId: randomUUID() };
    const answers = await Promise.all(
      [visa, mastercard, visa].map((fields) => payOrder(place, alice, orderId, fields)),
    );
    await comesToRest(place, orderId, ["PAID"]);
    return { orderId, ...oneAttempt(answers) };
  });

/** Two operators give money back at once, one of them twice under one key: together it is more than there is. */
const twoRefunds: Race = (place, { rounds }) =>
  run(place, rounds, async (round) => {
    const alice = await newCustomer(place);
    const orderId = (await placeOrder(place, alice)).order.id;
    const { order, payment } = await becomes(place, alice, orderId, "PAID");
    const total = Number(order.total?.minorUnits ?? 0n);
    const part = { currencyCode: "EUR", minorUnits: String(Math.ceil(total * 0.6)) };
    const aRefund = () => ({ requestId: randomUUID(), ...(round % 2 === 0 && { amount: part }) });
    const [his, hers] = [aRefund(), aRefund()];
    const answers = await Promise.all(
      [his, hers, his].map((fields) => refundPayment(place, payment.id, fields)),
    );
    await comesToRest(place, orderId, ["PAID"]);
    return { orderId, ...oneRefund(answers, round % 2 === 0 ? Number(part.minorUnits) : total) };
  });

export const RACES: Readonly<Record<string, Race>> = {
  "cancel against pay": cancelAgainstPay,
  "expire against pay": expireAgainstPay,
  "two PayOrders at once": twoPayOrders,
  "refund against refund": twoRefunds,
};

/** An order that waits for the customer, and one of the two ways to pay it. */
async function anUnpaid(place: Place, round: number) {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  await paymentBecomes(place, alice, order.id, "REQUIRES_PAYMENT_METHOD");
  const byCard = { payment_method: "pm_card_visa" };
  const pay = async (): Promise<void> => {
    if (round % 2 === 0) await payOrder(place, alice, order.id);
    // Where the PaymentIntent is cancelled already, Stripe refuses: that is the race.
    else await inBrowser(place, `pay/${intentIn(payment)}`, byCard).catch(() => undefined);
  };
  return { alice, orderId: order.id, pay };
}

async function after<T>(ms: number, work: () => Promise<T>): Promise<T> {
  if (ms > 0) await pause(ms);
  return await work();
}

/** Runs the rounds, some at a time; when all have come to rest, looks at every order again: nothing may have moved since. */
async function run(
  place: Place,
  rounds: number,
  race: (round: number) => Promise<Round>,
): Promise<RaceResult> {
  const done: Round[] = [];
  for (let first = 0; first < rounds; first += ABREAST) {
    const wave = Array.from({ length: Math.min(ABREAST, rounds - first) }, (_, n) => first + n);
    done.push(...(await Promise.all(wave.map(async (round) => await race(round)))));
  }
  const wrong: string[] = [];
  for (const { orderId, outcome, wrong: told } of done) {
    const status = outcome === "CANCELLED" || outcome === "EXPIRED" ? outcome : "PAID";
    const found = [...told, ...(await disagreements(place, orderId, status))];
    wrong.push(...found.map((finding) => `order ${orderId}: ${finding}`));
  }
  const outcomes = Map.groupBy(done, ({ outcome }) => outcome);
  return {
    outcomes: Object.fromEntries([...outcomes].map(([name, { length }]) => [name, length])),
    wrong,
  };
}

type Final = "PAID" | "CANCELLED" | "EXPIRED";

/** Waits until the order is final and everybody agrees about it; gives up with what they disagree about. */
function comesToRest(place: Place, orderId: string, finals: readonly Final[]): Promise<Final> {
  return eventually(
    async () => {
      const { order } = await seenByOperator(place, orderId);
      const final = finals.find((status) => OrderStatus[status] === order.status);
      if (final === undefined) throw new Error(`it is ${OrderStatus[order.status]}`);
      const found = await disagreements(place, orderId, final);
      if (found.length > 0) throw new Error(`order ${orderId}: ${found.join("; ")}`);
      return final;
    },
    { withinMs: RESTS_WITHIN_MS },
  );
}

/** In what Order, Payment and Stripe differ about an order that ended so: who was charged, and what was given back. */
async function disagreements(place: Place, orderId: string, final: Final): Promise<string[]> {
  const [{ order, payment, atPayment }, intents] = await Promise.all([
    seenByOperator(place, orderId),
    stripePaymentsOf(place, orderId),
  ]);
  const [intent] = intents;
  if (intent === undefined || intents.length > 1) return [`has ${intents.length} PaymentIntents`];
  const isPaid = final === "PAID";
  const total = isPaid ? Number(order.total?.minorUnits) : 0;
  const paid = isPaid ? PaymentStatus.SUCCEEDED : PaymentStatus.CANCELLED;
  const refunded = Number(atPayment.refunded?.minorUnits ?? 0n);
  const same = (what: string, is: unknown, shouldBe: unknown) =>
    is === shouldBe ? [] : [`${what}: ${String(is)} instead of ${String(shouldBe)}`];
  return [
    ...same("its status", OrderStatus[order.status], final),
    ...same("its payment, as Order knows it", PaymentStatus[payment.status], PaymentStatus[paid]),
    ...same("its payment", PaymentStatus[atPayment.status], PaymentStatus[paid]),
    ...same("its PaymentIntent", intent.status, isPaid ? "succeeded" : "canceled"),
    ...same("charges at Stripe", intent.charges, isPaid ? 1 : 0),
    ...same("the sum that Stripe charged", intent.charged, total),
    ...same("the sum that Stripe gave back", intent.refunded, refunded),
    ...same("refunds, as Order knows them", Number(payment.refunded?.minorUnits ?? 0n), refunded),
  ];
}

/** Of three calls that pay there is one new attempt, and who was not refused was told of that one. */
function oneAttempt(answers: readonly Answer[]): Pick<Round, "outcome" | "wrong"> {
  const numbers = answers.flatMap(({ status, json }) =>
    status === 200 ? [(json as { payment: { attemptNumber: number } }).payment.attemptNumber] : [],
  );
  const isOne = numbers.length > 0 && numbers.every((number) => number === 2);
  const first = answers[0]?.status === 200 ? "the first card pays" : "the second card pays";
  return { outcome: first, wrong: isOne ? [] : [`attempts that were answered: ${numbers.join()}`] };
}

/** Of two refunds one is made, and the third call is one of the two. */
function oneRefund(answers: readonly Answer[], sum: number): Pick<Round, "outcome" | "wrong"> {
  const made = answers.flatMap(({ status, json }) =>
    status === 200
      ? [(json as { refund: { id: string; amount: { minorUnits: string } } }).refund]
      : [],
  );
  const isOne =
    new Set(made.map(({ id }) => id)).size === 1 &&
    made.every(({ amount }) => Number(amount.minorUnits) === sum);
  const outcome = answers[1]?.status === 200 ? "the second is made" : "the first is made";
  return { outcome, wrong: isOne ? [] : [`refunds that were made: ${JSON.stringify(made)}`] };
}

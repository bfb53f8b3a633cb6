// Holds what everybody says of an order that was lived against Stripe's ledger, and its history against the rules.
import type { Stripe } from "stripe";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { type OrderState, TRANSITIONS } from "../../src/order/order.ts";
import { eventually } from "./eventually.ts";
import { type History, notToldOnce, statusesOf, toldByOrder, toldByPayment } from "./history.ts";
import { seenByOperator } from "./orders.ts";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";
import { query } from "./rows.ts";
import { atDashboard, type StripeEvent, stripePaymentsOf } from "./sandbox.ts";

/** A call that died with its process is taken up when its lease ends. In milliseconds. */
const AGREED_WITHIN_MS = 45_000;

/** One order whose life goes on. */
export interface Living {
  readonly place: Place;
  readonly alice: Person;
  readonly orderId: string;
  readonly intentId: string;
}

interface Judged {
  readonly end: string;
  readonly wrong: readonly string[];
}

/** Waits until everybody agrees, or says about what they do not; then reads the history. */
export async function judgeLife(
  living: Living,
  events: readonly StripeEvent[],
  history: History,
): Promise<Judged> {
  const { orderId } = living;
  let end = "";
  const differing = await eventually(
    async () => {
      await mustBeDone(living, events);
      const found = await differences(living);
      end = found.end;
      if (found.wrong.length > 0) throw new Error(found.wrong.join("; "));
      return [];
    },
    { withinMs: AGREED_WITHIN_MS },
  ).catch((error: unknown) => [String(error)]);
  const { order: ofOrder, payment: ofPayment } = history.of;
  const [statuses, told, paymentStatuses, paymentTold] = await Promise.all([
    statusesOf(ofOrder, orderId),
    toldByOrder(ofOrder, orderId),
    statusesOf(ofPayment, orderId),
    toldByPayment(ofPayment, orderId),
  ]);
  const wrong = [
    ...differing,
    ...illegal(statuses),
    ...notToldOnce(paymentStatuses, paymentTold).map((finding) => `its payment ${finding}`),
  ];
  const real = statuses.filter((status) => status !== "PENDING");
  if (real.join() !== told.join()) wrong.push(`it was ${real.join()}, and told ${told.join()}`);
  return { end, wrong };
}

/** Each status of the row leads to the next by the table, so PAID, CANCELLED and EXPIRED to none. */
const illegal = (statuses: readonly string[]): string[] =>
  statuses.flatMap((to, at) => {
    const from = statuses[at - 1];
    const ways = from === undefined ? ["PENDING"] : Object.values(TRANSITIONS[from as OrderState]);
    return ways.some((way) => way === to) ? [] : [`it went from ${from ?? "nothing"} to ${to}`];
  });

/** @throws while an event is not in Payment's inbox, or not applied yet */
async function mustBeDone(
  { place, intentId }: Living,
  events: readonly StripeEvent[],
): Promise<void> {
  const rows = await query<{ id: string; due: boolean }>(
    place,
    "payment",
    "select id, due_time is not null as due from stripe_events where payment_intent_id = $1",
    [intentId],
  );
  const done = new Set(rows.flatMap(({ id, due }) => (due ? [] : [id])));
  const missing = events.filter(({ id }) => !done.has(id));
  if (missing.length > 0) throw new Error(`${missing.length} events are not done with`);
}

/** In what Order and Payment differ from Stripe's own word and ledger. */
async function differences({ place, orderId, intentId }: Living): Promise<Judged> {
  const [{ order, payment, atPayment }, entries, intent] = await Promise.all([
    seenByOperator(place, orderId),
    stripePaymentsOf(place, orderId),
    atDashboard(place).paymentIntents.retrieve(intentId),
  ]);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    return { end: "", wrong: [`has ${entries.length} PaymentIntents`] };
  const truth = truthOf(intent);
  const isPaid = truth.order === "PAID";
  const total = isPaid ? Number(order.total?.minorUnits) : 0;
  const isDisputed = entry.disputes.some(({ status }) => !OVER.has(status));
  const refunded = (money: { readonly minorUnits: bigint } | undefined) =>
    Number(money?.minorUnits ?? 0n);
  const same = (what: string, is: unknown, should: unknown) =>
    is === should ? [] : [`${what}: ${String(is)} instead of ${String(should)}`];
  const status = OrderStatus[order.status];
  return {
    end: status,
    wrong: [
      ...same("its status", status, truth.order),
      ...same("its payment", PaymentStatus[atPayment.status], truth.payment),
      ...same("its payment, as Order knows it", PaymentStatus[payment.status], truth.payment),
      ...same("charges", entry.charges, isPaid ? 1 : 0),
      ...same("the sum charged", entry.charged, total),
      ...same("refunds, as Payment knows them", refunded(atPayment.refunded), entry.refunded),
      ...same("refunds, as Order knows them", refunded(payment.refunded), entry.refunded),
      ...same("disputed, as Payment knows it", atPayment.disputed, isDisputed),
      ...same("disputed, as Order knows it", payment.disputed, isDisputed),
      ...same("its refunds", madeIn(atPayment.refunds), idsOf(entry.refunds)),
      ...same("its disputes", idsOf(atPayment.disputes), idsOf(entry.disputes)),
    ],
  };
}

const OVER = new Set(["won", "warning_closed"]);

const idsOf = (all: readonly { readonly id: string }[]): string =>
  all
    .map(({ id }) => id)
    .toSorted((a, b) => a.localeCompare(b))
    .join();

/** One that Stripe refused is ours alone, and FAILED. */
const madeIn = (refunds: readonly { readonly stripeRefundId: string }[]): string =>
  idsOf(refunds.flatMap(({ stripeRefundId: id }) => (id === "" ? [] : [{ id }])));

interface Truth {
  readonly order: OrderState;
  readonly payment: keyof typeof PaymentStatus;
}

/** What Stripe's own word for the PaymentIntent means for the payment and the order. */
function truthOf({ status, last_payment_error: error }: Stripe.PaymentIntent): Truth {
  switch (status) {
    case "succeeded":
      return { order: "PAID", payment: "SUCCEEDED" };
    case "canceled":
      return { order: "CANCELLED", payment: "CANCELLED" };
    case "requires_payment_method":
      return error
        ? { order: "FAILED", payment: "FAILED" }
        : { order: "PENDING", payment: "REQUIRES_PAYMENT_METHOD" };
    case "requires_action":
      return { order: "PENDING", payment: "REQUIRES_ACTION" };
    case "processing":
      return { order: "PENDING", payment: "PROCESSING" };
    default:
      throw new Error(`no life comes to a PaymentIntent that is ${status}`);
  }
}

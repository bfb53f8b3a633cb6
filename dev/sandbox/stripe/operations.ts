// What the sandbox's Stripe does for each request: check, step, record, answer.
import type { Stripe } from "stripe";
import { type Answer, jsonAnswer } from "../answer.ts";
import { type Form, listOf, textOf } from "../form.ts";
import { stripeId } from "../id.ts";
import { type Ledger, type Source } from "./ledger.ts";
import { pageOf } from "./list.ts";
import { readCancellationReason, readConfirm, readCreate } from "./parameters.ts";
import {
  cancel,
  confirm,
  type Moment,
  type Payment,
  type PaymentStatus,
  type Step,
  settle,
} from "./payment.ts";
import { missing, StripeRefusal } from "./refusal.ts";
import { toCharge } from "./to-charge.ts";
import { toEvent } from "./to-event.ts";
import { toCardError, toPaymentIntent } from "./to-payment-intent.ts";

export interface Call {
  readonly parameters: Form;
  /** The ID in the path; "" where there is none. */
  readonly id: string;
  readonly source: Source;
}

export interface Books {
  readonly ledger: Ledger;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly origin: () => string;
}

export type Operation = (books: Books, call: Call) => Answer;

const confirmable = new Set<PaymentStatus>([
  "requires_payment_method",
  "requires_confirmation",
  "requires_action",
]);
const cancelable = new Set<PaymentStatus>([...confirmable, "processing"]);

export const createPayment: Operation = (books, call) => {
  const request = readCreate(call.parameters, books.now());
  const first: Step = { payment: request.payment, events: ["payment_intent.created"] };
  books.ledger.record(first, call.source);
  if (request.confirmWith === undefined) return paymentAnswer(books, request.payment);
  return finish(books, call, confirm(request.payment, request.confirmWith, momentOf(books)));
};

export const confirmPayment: Operation = (books, call) => {
  const found = findPayment(books, call.id);
  if (!confirmable.has(found.status)) throw unexpectedState(books, found, "confirm");
  const { payment, method } = readConfirm(call.parameters, found);
  return finish(books, call, confirm(payment, method, momentOf(books)));
};

/** Cancelling what is cancelled is refused, as Stripe does. */
export const cancelPayment: Operation = (books, call) => {
  const payment = findPayment(books, call.id);
  const reason = readCancellationReason(call.parameters);
  if (!cancelable.has(payment.status)) throw unexpectedState(books, payment, "cancel");
  return finish(books, call, cancel(payment, reason, books.now()));
};

/** The customer's 3-D Secure page, or the bank, has decided: no request of the API, but told by the sandbox's own paths. */
export const settlePayment =
  (outcome: "succeed" | "fail"): Operation =>
  (books, call) => {
    const payment = findPayment(books, call.id);
    if (payment.status !== "requires_action" && payment.status !== "processing") {
      throw unexpectedState(books, payment, "settle");
    }
    const { payment: settled, ...rest } = settle(payment, outcome, momentOf(books));
    books.ledger.record({ payment: settled, ...rest }, call.source);
    return paymentAnswer(books, settled);
  };

export const retrievePayment: Operation = (books, call) =>
  paymentAnswer(books, findPayment(books, call.id));

export const listPayments: Operation = (books, { parameters }) => {
  const page = pageOf(books.ledger.payments(), parameters, () => true);
  const data = page.data.map((payment) => toPaymentIntent(payment, books.origin()));
  return listAnswer<Stripe.PaymentIntent>("/v1/payment_intents", data, page.hasMore);
};

export const retrieveCharge: Operation = (books, call) => {
  const charge = books.ledger.charge(call.id);
  if (charge === undefined) throw missing(404, "charge", call.id, "id");
  return jsonAnswer(200, toCharge(charge));
};

export const listCharges: Operation = (books, { parameters }) => {
  const paymentId = textOf(parameters, "payment_intent");
  const page = pageOf(
    books.ledger.charges(),
    parameters,
    (charge) => paymentId === undefined || charge.paymentId === paymentId,
  );
  return listAnswer<Stripe.Charge>("/v1/charges", page.data.map(toCharge), page.hasMore);
};

export const retrieveEvent: Operation = (books, call) => {
  const event = books.ledger.event(call.id);
  if (event === undefined) throw missing(404, "event", call.id, "id");
  return jsonAnswer(200, showEvent(books, call.id));
};

export const listEvents: Operation = (books, { parameters }) => {
  const types = listOf(parameters, "types") ?? listOf(parameters, "type");
  const success = textOf(parameters, "delivery_success");
  const page = pageOf(
    books.ledger.events(),
    parameters,
    (event) =>
      (types === undefined || types.some((type) => matches(type, event.happening.type))) &&
      (success === undefined || books.ledger.delivered(event.id) === (success === "true")),
  );
  const data = page.data.map((event) => showEvent(books, event.id));
  return listAnswer<Stripe.Event>("/v1/events", data, page.hasMore);
};

/** The event as a webhook carries it and as the API shows it. */
export function showEvent(books: Books, eventId: string): Stripe.Event {
  const event = books.ledger.event(eventId);
  if (event === undefined) throw missing(404, "event", eventId, "id");
  const pendingWebhooks = books.ledger.delivered(eventId) ? 0 : 1;
  return toEvent(event, { origin: books.origin(), pendingWebhooks });
}

/** Stripe's lists of events take `charge.*` for all events of charges. */
const matches = (pattern: string, type: string): boolean =>
  pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;

const momentOf = (books: Books): Moment => ({ now: books.now(), chargeId: stripeId("ch") });

function findPayment(books: Books, id: string): Payment {
  const payment = books.ledger.payment(id);
  if (payment === undefined) throw missing(404, "payment_intent", id, "intent");
  return payment;
}

/** Records the step; a decline is answered as the card error that it is. */
function finish(books: Books, call: Call, step: Step): Answer {
  books.ledger.record(step, call.source);
  if (step.decline === undefined) return paymentAnswer(books, step.payment);
  const payment_intent = toPaymentIntent(step.payment, books.origin());
  return jsonAnswer(402, { error: { ...toCardError(step.payment), payment_intent } });
}

const paymentAnswer = (books: Books, payment: Payment): Answer =>
  jsonAnswer(200, toPaymentIntent(payment, books.origin()));

const listAnswer = <T>(url: string, data: T[], hasMore: boolean): Answer =>
  jsonAnswer(200, { object: "list", data, has_more: hasMore, url } satisfies Stripe.ApiList<T>);

function unexpectedState(books: Books, payment: Payment, verb: string): StripeRefusal {
  return new StripeRefusal(400, {
    type: "invalid_request_error",
    code: "payment_intent_unexpected_state",
    message: `You cannot ${verb} this PaymentIntent because it has a status of ${payment.status}.`,
    payment_intent: toPaymentIntent(payment, books.origin()),
  });
}

// What the sandbox's Stripe does for requests about PaymentIntents: check, step, record, answer.
import type { Stripe } from "stripe";
import { type Answer, jsonAnswer } from "../answer.ts";
import type { Form } from "../form.ts";
import { stripeId } from "../id.ts";
import { openDispute } from "./dispute.ts";
import { pageOf, readListed } from "./list.ts";
import { type Books, type Call, known, listAnswer, type Operation, refused } from "./operation.ts";
import { readExpand } from "./parameters.ts";
import { cancel, capture, confirm, type Moment, settle, type Step } from "./payment.ts";
import {
  readCancellationReason,
  readCapture,
  readConfirm,
  readCreate,
  readPay,
  readUpdate,
} from "./payment-parameters.ts";
import type { Payment, PaymentStatus } from "./records.ts";
import { toCharge } from "./to-charge.ts";
import { toCardError, toPaymentIntent } from "./to-payment-intent.ts";

const unpaid: readonly PaymentStatus[] = [
  "requires_payment_method",
  "requires_confirmation",
  "requires_action",
];
/** Stripe allows `processing` "in rare cases": the bank is at work, so the sandbox does not. */
const cancelable: readonly PaymentStatus[] = [...unpaid, "requires_capture"];

export const createPayment: Operation = (books, call) => {
  const { payment, confirmWith } = readCreate(call.parameters, books.now());
  const happenings = [{ type: "payment_intent.created", payment } as const];
  books.ledger.record({ payment, happenings }, call.source);
  if (confirmWith === undefined) return paymentAnswer(books, payment, call.parameters);
  return finish(books, call, confirm(payment, confirmWith, momentOf(books)));
};

export const confirmPayment: Operation = (books, call) => {
  const found = findPayment(books, call.id);
  if (!unpaid.includes(found.status)) return unexpectedState(books, found, "confirm", unpaid);
  const { payment, method } = readConfirm(call.parameters, found);
  return finish(books, call, confirm(payment, method, momentOf(books)));
};

/** A customer pays, perhaps something else than was asked for: `amount`, `currency` and `metadata` say what. */
export const payOtherwise: Operation = (books, call) => {
  const found = findPayment(books, call.id);
  if (!unpaid.includes(found.status)) return unexpectedState(books, found, "pay", unpaid);
  const { payment, method } = readPay(call.parameters, found);
  return finish(books, call, confirm(payment, method, momentOf(books)));
};

/** Cancelling what is cancelled is refused, as Stripe does. */
export const cancelPayment: Operation = (books, call) => {
  const payment = findPayment(books, call.id);
  const reason = readCancellationReason(call.parameters);
  if (!cancelable.includes(payment.status))
    return unexpectedState(books, payment, "cancel", cancelable);
  return finish(books, call, cancel(payment, reason, books.now()));
};

export const capturePayment: Operation = (books, call) => {
  const payment = findPayment(books, call.id);
  const amount = readCapture(call.parameters, payment);
  if (payment.status !== "requires_capture")
    return unexpectedState(books, payment, "capture", ["requires_capture"]);
  const charge = books.ledger.charge(payment.latestCharge ?? "");
  if (charge === undefined) throw new Error(`${payment.id} is to be captured without a charge`);
  return finish(books, call, capture(payment, charge, amount));
};

/** After success or cancellation only the metadata and the description may change. */
export const updatePayment: Operation = (books, call) => {
  const found = findPayment(books, call.id);
  const { payment, money } = readUpdate(call.parameters, found);
  if (money !== undefined && !unpaid.includes(found.status)) {
    return refused({
      code: "payment_intent_unexpected_state",
      message: `This PaymentIntent's ${money} could not be updated because it has a status of ${found.status}. You may only update the ${money} of a PaymentIntent with one of the following statuses: ${unpaid.join(", ")}.`,
      payment_intent: toPaymentIntent(found, books.origin()),
    });
  }
  return finish(books, call, { payment, happenings: [] });
};

/** The customer's 3-D Secure page, or the bank, has decided: no request of the API, but told by the sandbox's own paths. */
export const settlePayment =
  (outcome: "succeed" | "fail"): Operation =>
  (books, call) => {
    const payment = findPayment(books, call.id);
    if (payment.status !== "requires_action" && payment.status !== "processing")
      return unexpectedState(books, payment, "settle", ["requires_action", "processing"]);
    const { decline: _told, ...step } = settle(payment, outcome, momentOf(books));
    return finish(books, call, step);
  };

export const retrievePayment: Operation = (books, call) =>
  paymentAnswer(books, findPayment(books, call.id), call.parameters);

export const listPayments: Operation = (books, { parameters }) => {
  readListed(parameters, []);
  const page = pageOf(books.ledger.payments(), parameters, () => true);
  const data = page.data.map((payment) => toPaymentIntent(payment, books.origin()));
  return listAnswer<Stripe.PaymentIntent>("/v1/payment_intents", data, page.hasMore);
};

const momentOf = (books: Books): Moment => ({ now: books.now(), chargeId: stripeId("ch") });

const findPayment = (books: Books, id: string): Payment =>
  known(books.ledger.payment(id), "payment_intent", id, "intent");

/** Records the step, and the dispute that some test cards open at once; a decline is answered as the card error that it is. */
function finish(books: Books, call: Call, step: Step): Answer {
  books.ledger.record(step, call.source);
  const { payment, charge } = step;
  const disputes = payment.status === "succeeded" ? payment.method?.disputes : undefined;
  if (charge !== undefined && disputes !== undefined) {
    const request = { id: stripeId("du"), amount: charge.amount, ...disputes };
    const byBank = { requestId: null, idempotencyKey: null };
    books.ledger.record(openDispute(charge, request, books.now()), byBank);
  }
  if (step.decline === undefined) return paymentAnswer(books, payment, call.parameters);
  const payment_intent = toPaymentIntent(payment, books.origin());
  return jsonAnswer(402, { error: { ...toCardError(payment), payment_intent } });
}

function paymentAnswer(books: Books, payment: Payment, parameters: Form): Answer {
  const shown = toPaymentIntent(payment, books.origin());
  const expanded = readExpand(parameters, ["latest_charge"]);
  const charge = books.ledger.charge(payment.latestCharge ?? "");
  return jsonAnswer(
    200,
    expanded.length > 0 && charge !== undefined
      ? ({ ...shown, latest_charge: toCharge(charge) } satisfies Stripe.PaymentIntent)
      : shown,
  );
}

const unexpectedState = (
  books: Books,
  payment: Payment,
  verb: string,
  from: readonly PaymentStatus[],
): Answer =>
  refused({
    code: "payment_intent_unexpected_state",
    message: `You cannot ${verb} this PaymentIntent because it has a status of ${payment.status}. Only a PaymentIntent with one of the following statuses may be used: ${from.join(", ")}.`,
    payment_intent: toPaymentIntent(payment, books.origin()),
  });

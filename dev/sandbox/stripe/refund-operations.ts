// What the sandbox's Stripe does for requests about refunds, and what banks and Stripe's dashboard do with them.
import type { Stripe } from "stripe";
import { type Answer, jsonAnswer } from "../answer.ts";
import { textOf } from "../form.ts";
import { stripeId } from "../id.ts";
import { holdsMoney } from "./dispute.ts";
import { pageOf, readListed } from "./list.ts";
import { type Books, known, listAnswer, type Operation, refused } from "./operation.ts";
import { badParameter, missing } from "./refusal.ts";
import { canMove, capturedOf, makeRefund, moveRefund, refundableOf } from "./refund.ts";
import type { RefundMove, RefundRequest } from "./refund.ts";
import { readRefund, readRefundUpdate, type RefundParameters } from "./refund-parameters.ts";
import type { Charge, Refund, RefundStatus } from "./records.ts";
import { toRefund } from "./to-refund.ts";

/** `status`: where the refund begins, for what the sandbox's own paths ask for; without it the payment method decides. */
export const createRefund =
  (status?: RefundStatus): Operation =>
  (books, call) => {
    const parameters = readRefund(call.parameters);
    const charge = findCharge(books, parameters);
    const refusal = refusalOf(books, charge, parameters.amount);
    if (charge === undefined || refusal !== undefined)
      return refusal ?? nothingToRefund(parameters);
    const { amount = refundableOf(charge), reason, metadata } = parameters;
    const request: RefundRequest = {
      id: stripeId("re"),
      amount,
      reason,
      metadata,
      ...(status === undefined ? {} : { status }),
    };
    const change = makeRefund(charge, request, books.now());
    books.ledger.record(change, call.source);
    return refundAnswer(books, request.id);
  };

/** Stripe lets its API cancel only refunds that wait for the customer. */
export const cancelRefund: Operation = (books, call) => {
  const { status } = findRefund(books, call.id);
  if (status === "requires_action") return moveRefundTo("cancel")(books, call);
  return refused({
    message: `You cannot cancel this Refund because it has a status of ${status}. Only a Refund with a status of requires_action may be canceled.`,
  });
};

/** A bank or somebody at the dashboard moves a refund on; `failure_reason` may be given with "fail". */
export const moveRefundTo =
  (move: RefundMove): Operation =>
  (books, call) => {
    const refund = findRefund(books, call.id);
    const charge = known(books.ledger.charge(refund.chargeId), "charge", refund.chargeId);
    if (!canMove(refund, move))
      return refused({ message: `A Refund with a status of ${refund.status} cannot ${move}.` });
    const reason = textOf(call.parameters, "failure_reason");
    books.ledger.record(moveRefund({ refund, charge }, move, reason), call.source);
    return refundAnswer(books, refund.id);
  };

export const updateRefund: Operation = (books, call) => {
  const found = findRefund(books, call.id);
  const refund = { ...found, metadata: readRefundUpdate(call.parameters, found.metadata) };
  books.ledger.record({ refund, happenings: [{ type: "refund.updated", refund }] }, call.source);
  return refundAnswer(books, refund.id);
};

export const retrieveRefund: Operation = (books, call) =>
  jsonAnswer(200, toRefund(findRefund(books, call.id)));

export const listRefunds: Operation = (books, { parameters }) => {
  readListed(parameters, ["payment_intent", "charge"]);
  const paymentId = textOf(parameters, "payment_intent");
  const chargeId = textOf(parameters, "charge");
  const page = pageOf(
    books.ledger.refunds(),
    parameters,
    (refund) =>
      (paymentId === undefined || refund.paymentId === paymentId) &&
      (chargeId === undefined || refund.chargeId === chargeId),
  );
  return listAnswer<Stripe.Refund>("/v1/refunds", page.data.map(toRefund), page.hasMore);
};

const findRefund = (books: Books, id: string): Refund =>
  known(books.ledger.refund(id), "refund", id);

const refundAnswer = (books: Books, id: string): Answer =>
  jsonAnswer(200, toRefund(findRefund(books, id)));

/** The charge that is to be refunded; undefined for a payment that has none yet. */
function findCharge(books: Books, parameters: RefundParameters): Charge | undefined {
  const { paymentId, chargeId } = parameters;
  if (paymentId === undefined) {
    const charge = books.ledger.charge(chargeId ?? "");
    if (charge === undefined) throw missing(404, "charge", chargeId ?? "", "charge");
    return charge;
  }
  const payment = books.ledger.payment(paymentId);
  if (payment === undefined) throw missing(404, "payment_intent", paymentId, "payment_intent");
  const charge = books.ledger.charge(payment.latestCharge ?? "");
  if (chargeId !== undefined && chargeId !== charge?.id)
    throw badParameter("charge", "parameter_invalid", "The charge is not the PaymentIntent's.");
  return charge;
}

const nothingToRefund = ({ paymentId, chargeId }: RefundParameters): Answer =>
  refused({
    message: `This PaymentIntent (${paymentId ?? chargeId ?? ""}) does not have a successful charge to refund.`,
  });

function refusalOf(
  books: Books,
  charge: Charge | undefined,
  amount: number | undefined,
): Answer | undefined {
  if (charge === undefined) return undefined;
  if (capturedOf(charge) === 0)
    return nothingToRefund({ ...noParameters, paymentId: charge.paymentId });
  const left = refundableOf(charge);
  if (left === 0) {
    return refused({
      code: "charge_already_refunded",
      message: `Charge ${charge.id} has already been refunded.`,
    });
  }
  const disputes = books.ledger.disputes().filter(({ chargeId }) => chargeId === charge.id);
  if (disputes.some(holdsMoney)) {
    return refused({
      code: "charge_disputed",
      message: `Charge ${charge.id} has been charged back; cannot issue a refund.`,
    });
  }
  if (amount === undefined || amount <= left) return undefined;
  return refused({
    param: "amount",
    message: `Refund amount (${shown(amount, charge)}) is greater than unrefunded amount on charge (${shown(left, charge)})`,
  });
}

const noParameters = { reason: null, metadata: {} } as const;

const shown = (amount: number, { currency }: Charge): string =>
  `${amount} ${currency.toUpperCase()}`;

// What the sandbox's Stripe does for requests about disputes, and what customers and their banks do with them.
import type { Stripe } from "stripe";
import { type Answer, jsonAnswer } from "../answer.ts";
import { groupOf, textOf } from "../form.ts";
import { stripeId } from "../id.ts";
import { canMove, type DisputeMove, moveDispute, openDispute } from "./dispute.ts";
import { pageOf, readListed } from "./list.ts";
import { type Books, known, listAnswer, type Operation, refused } from "./operation.ts";
import { readMetadata, readWhole, refuseUnknown } from "./parameters.ts";
import { badParameter } from "./refusal.ts";
import { capturedOf } from "./refund.ts";
import type { Dispute } from "./records.ts";
import { toDispute } from "./to-dispute.ts";

/** The texts of evidence that decide a dispute in test mode. https://docs.stripe.com/testing#evidence */
const decisive: Readonly<Record<string, DisputeMove>> = {
  winning_evidence: "win",
  losing_evidence: "lose",
};

/** The customer disputes a payment at the bank: `payment_intent`, and perhaps `amount`, `reason`, `inquiry`. */
export const createDispute: Operation = (books, { parameters, source }) => {
  refuseUnknown(parameters, ["payment_intent", "amount", "reason", "inquiry"]);
  const paymentId = textOf(parameters, "payment_intent") ?? "";
  const payment = known(books.ledger.payment(paymentId), "payment_intent", paymentId);
  const charge = books.ledger.charge(payment.latestCharge ?? "");
  if (charge === undefined || capturedOf(charge) === 0)
    return refused({ message: `${paymentId} took no money that could be disputed.` });
  const request = {
    id: stripeId("du"),
    amount: readWhole(parameters, "amount") ?? capturedOf(charge),
    reason: textOf(parameters, "reason") ?? "fraudulent",
    inquiry: textOf(parameters, "inquiry") === "true",
  };
  if (request.amount > capturedOf(charge))
    throw badParameter("amount", "amount_too_large", "No more than was paid can be disputed.");
  books.ledger.record(openDispute(charge, request, books.now()), source);
  return disputeAnswer(books, request.id);
};

export const moveDisputeTo =
  (move: DisputeMove): Operation =>
  (books, call) => {
    const dispute = findDispute(books, call.id);
    if (!canMove(dispute, move))
      return refused({ message: `A dispute with a status of ${dispute.status} cannot ${move}.` });
    books.ledger.record(moveDispute(dispute, move, books.now()), call.source);
    return disputeAnswer(books, dispute.id);
  };

/** Takes metadata and evidence; evidence that is submitted goes to the bank, and some texts decide the case at once. */
export const updateDispute: Operation = (books, call) => {
  refuseUnknown(call.parameters, ["evidence", "metadata", "submit"]);
  const found = findDispute(books, call.id);
  const evidence = { ...found.evidence, ...readEvidence(call.parameters) };
  const metadata = readMetadata(call.parameters, found.metadata);
  const dispute = { ...found, evidence, metadata };
  books.ledger.record({ dispute, happenings: [] }, call.source);
  const submitted = call.parameters["evidence"] !== undefined;
  if (!submitted || textOf(call.parameters, "submit") === "false")
    return disputeAnswer(books, dispute.id);
  const answer = moveDisputeTo("review")(books, call);
  const verdict = decisive[evidence["uncategorized_text"] ?? ""];
  const inquiry = dispute.status.startsWith("warning_");
  return answer.status !== 200 || verdict === undefined || inquiry
    ? answer
    : moveDisputeTo(verdict)(books, call);
};

export const retrieveDispute: Operation = (books, call) => disputeAnswer(books, call.id);

export const listDisputes: Operation = (books, { parameters }) => {
  readListed(parameters, ["payment_intent", "charge"]);
  const paymentId = textOf(parameters, "payment_intent");
  const chargeId = textOf(parameters, "charge");
  const page = pageOf(
    books.ledger.disputes(),
    parameters,
    (dispute) =>
      (paymentId === undefined || dispute.paymentId === paymentId) &&
      (chargeId === undefined || dispute.chargeId === chargeId),
  );
  return listAnswer<Stripe.Dispute>("/v1/disputes", page.data.map(toDispute), page.hasMore);
};

const findDispute = (books: Books, id: string): Dispute =>
  known(books.ledger.dispute(id), "dispute", id);

const disputeAnswer = (books: Books, id: string): Answer =>
  jsonAnswer(200, toDispute(findDispute(books, id)));

function readEvidence(parameters: Parameters<Operation>[1]["parameters"]): Record<string, string> {
  const evidence = groupOf(parameters, "evidence");
  return Object.fromEntries(
    Object.entries(evidence).filter((entry): entry is [string, string] => {
      return typeof entry[1] === "string";
    }),
  );
}

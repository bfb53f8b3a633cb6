// Gives a payment up: at Stripe, which decides whether it was paid meanwhile; or from the beginning, before it was asked for.
import type { CancelPaymentRequest } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { violatesUnique } from "../platform/database/unique.ts";
import { together } from "../platform/events/together.ts";
import { Refusal } from "../platform/refusal.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { TransientError } from "../platform/transient.ts";
import { applyGivenUp, applySnapshot, mustLock } from "./apply.ts";
import { newPayment } from "./new-rows.ts";
import type { PaymentParts } from "./parts.ts";
import { isFinal, type PaymentState } from "./payment.ts";
import { reportCall } from "./progress.ts";
import { publishStatus } from "./publish.ts";
import { settleAttempt } from "./settle.ts";
import {
  findAttempt,
  findPayment,
  ORDER_KEY,
  savePayment,
  type AttemptRow,
  type PaymentRow,
} from "./store.ts";
import { changeLines } from "./story.ts";

/** How often it is begun anew because the payment moved meanwhile. */
const ROUNDS = 4;

/** The payment, which is CANCELLED, or SUCCEEDED where that was quicker. `scope`: the customer whose payment it must be. */
export async function cancelPayment(
  parts: PaymentParts,
  request: CancelPaymentRequest,
  scope: string | undefined,
): Promise<PaymentRow> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const payment = await findPayment(parts.db, request, scope);
    const done =
      payment === undefined
        ? await giveUpUnborn(parts, request, scope)
        : await giveUp(parts, payment, request.abandoned);
    if (done !== undefined) return done;
  }
  throw new TransientError("the payment does not hold still");
}

/** The payment at its end; undefined: it moved meanwhile, look again. */
async function giveUp(
  parts: PaymentParts,
  payment: PaymentRow,
  isAbandoned: boolean,
): Promise<PaymentRow | undefined> {
  if (payment.status === "REVIEW")
    throw new Refusal(
      "failed_precondition",
      "money was taken for this payment, and it does not fit: an operator looks at it",
    );
  if (isFinal(payment.status as PaymentState)) return payment;
  if (payment.paymentIntentId !== null)
    return await giveUpAtStripe(parts, payment, payment.paymentIntentId, isAbandoned);
  const attempt = await findAttempt(parts.db, payment.id, payment.attemptNumber);
  if (attempt !== undefined && attempt.status !== "SETTLED")
    return await settleFirst(parts, attempt);
  return await giveUpHere(parts, payment);
}

/** Stripe decides which was first. Its answer, or the PaymentIntent in its refusal, is the truth. */
async function giveUpAtStripe(
  parts: PaymentParts,
  payment: PaymentRow,
  paymentIntentId: string,
  isAbandoned: boolean,
): Promise<PaymentRow> {
  const fetchTime = new Date();
  const result = await parts.stripe.cancel(paymentIntentId, isAbandoned);
  reportCall(parts.log, { paymentId: payment.id, paymentIntentId }, result);
  if (result.outcome !== "answered")
    throw new TransientError(`the payment could not be cancelled: ${result.failed.failure}`);
  const { snapshot } = result.value;
  const applied = await parts.inTransaction((tx) =>
    applySnapshot(tx, parts, payment.id, { snapshot, fetchTime }),
  );
  if (isFinal(applied.payment.status as PaymentState)) return applied.payment;
  throw new Refusal(
    "failed_precondition",
    `the PaymentIntent is ${snapshot.status} and cannot be cancelled now; try again when the bank has decided`,
  );
}

/** Whether there is anything to cancel is known when the call is settled, and not before. */
async function settleFirst(parts: PaymentParts, attempt: AttemptRow): Promise<undefined> {
  await settleAttempt(parts, attempt);
  const after = await findAttempt(parts.db, attempt.paymentId, attempt.attemptNumber);
  if (after?.status !== "SETTLED")
    throw new TransientError(`it is not known yet what became of attempt ${attempt.attemptNumber}`);
}

/** Stripe has nothing of it: each of its attempts was refused, or proven never to have been made. */
function giveUpHere(parts: PaymentParts, seen: PaymentRow): Promise<PaymentRow | undefined> {
  return parts.inTransaction(async (tx) => {
    const payment = await mustLock(tx, seen.id);
    return payment.version === seen.version ? await applyGivenUp(tx, parts, payment) : undefined;
  });
}

/** An order without a payment gets one that is given up from the beginning: a call to initiate it that comes later finds it. */
async function giveUpUnborn(
  parts: PaymentParts,
  { orderId, customerId, amount }: CancelPaymentRequest,
  scope: string | undefined,
): Promise<PaymentRow | undefined> {
  const isWhole = orderId !== "" && customerId !== "" && amount !== undefined;
  if (!isWhole || (scope !== undefined && scope !== customerId))
    throw new Refusal("not_found", "there is no such payment");
  const payment: PaymentRow = {
    ...newPayment({ orderId, customerId, amount }),
    status: "CANCELLED",
  };
  try {
    await parts.inTransaction(async (tx) => {
      await together([
        savePayment(tx, payment),
        publishStatus(tx, parts.outbox, payment),
        recordTimeline(tx, ...changeLines(undefined, payment)),
      ]);
    });
    return payment;
  } catch (error) {
    // The payment was initiated in this moment.
    if (violatesUnique(error, ORDER_KEY)) return undefined;
    throw error;
  }
}

// Calls Stripe for a refund that is stored, and commits what came of it; a worker goes on with what is not settled.
import { recordTimeline } from "../platform/timeline/store.ts";
import { eachAlone } from "./each-alone.ts";
import { applyRefund, applyRefundFailure } from "./facets.ts";
import { claimDueRefunds, saveRefundProgress, type RefundRow } from "./facet-store.ts";
import type { PaymentParts } from "./parts.ts";
import { NEVER_EXECUTED, progressOf, reportCall } from "./progress.ts";
import { mayRepeat, settleWaitMs } from "./schedule.ts";
import { findPayment } from "./store.ts";
import { callLine } from "./story.ts";
import type { RefundParams } from "./stripe/room.ts";

const WORKER_BATCH = 16;

/** Makes the call of a refund, with its stored key and parameters, or looks what became of it; commits what came of that. */
export async function settleRefund(parts: PaymentParts, refund: RefundRow): Promise<void> {
  if (refund.callStatus === "SETTLED") return await askBank(parts, refund);
  const isRepeatable =
    refund.callStatus !== "LOOKING" && mayRepeat(Date.now() - refund.createTime.getTime());
  if (!isRepeatable) return await lookForRefund(parts, refund);
  const { id, paymentId, idempotencyKey, tries } = refund;
  const fetchTime = new Date();
  const result = await parts.stripe.refund(refund.params as RefundParams, idempotencyKey);
  reportCall(parts.log, { refundId: id, paymentId }, result);
  // A repeated call is answered with what Stripe said the first time.
  const snapshot =
    result.outcome === "answered" && tries > 0
      ? await parts.stripe.retrieveRefund(result.value.stripeRefundId)
      : result.outcome === "answered"
        ? result.value
        : undefined;
  const progress = progressOf(result.outcome, tries);
  const payment =
    result.outcome === "answered"
      ? undefined
      : await findPayment(parts.db, { paymentId }, undefined);
  await parts.inTransaction(async (tx) => {
    if (snapshot !== undefined) await applyRefund(tx, parts, paymentId, { snapshot, fetchTime });
    else if (result.outcome === "refused")
      await applyRefundFailure(tx, parts, refund, result.failed.code);
    else await saveRefundProgress(tx, id, progress);
    if (payment === undefined || result.outcome === "answered") return;
    const call = { name: "The refund", references: { refund_id: id } };
    await recordTimeline(tx, callLine(payment, call, result, progress));
  });
}

/** Whether the bank has decided: the webhook that tells it may be lost. */
async function askBank(
  parts: PaymentParts,
  { paymentId, stripeRefundId }: RefundRow,
): Promise<void> {
  const fetchTime = new Date();
  const snapshot = await parts.stripe.retrieveRefund(stripeRefundId ?? "");
  await parts.inTransaction((tx) => applyRefund(tx, parts, paymentId, { snapshot, fetchTime }));
}

/** Settles a refund whose call must not be repeated: by what Stripe has, or by the proof that it has nothing. */
async function lookForRefund(parts: PaymentParts, refund: RefundRow): Promise<void> {
  const { id, paymentId, lookTime, tries } = refund;
  const fetchTime = new Date();
  const params = refund.params as RefundParams;
  const { items, isWhole } = await parts.stripe.listRefunds(params.payment_intent ?? "");
  const snapshot = items.find(({ refundId }) => refundId === id);
  const isProof =
    isWhole &&
    lookTime !== null &&
    fetchTime.getTime() - lookTime.getTime() >= parts.pace.absenceProofMs;
  await parts.inTransaction(async (tx) => {
    if (snapshot !== undefined) await applyRefund(tx, parts, paymentId, { snapshot, fetchTime });
    else if (isProof) await applyRefundFailure(tx, parts, refund, NEVER_EXECUTED);
    else await saveRefundProgress(tx, id, { status: "LOOKING", dueInMs: settleWaitMs(tries) });
  });
}

/** Goes on with the refunds that are due. The number of them. */
export async function settleDueRefunds(parts: PaymentParts): Promise<number> {
  const due = await claimDueRefunds(parts.db, { limit: WORKER_BATCH, leaseMs: parts.pace.leaseMs });
  await eachAlone(parts.log, due, (refund) => settleRefund(parts, refund));
  return due.length;
}

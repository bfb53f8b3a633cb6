// Settles an attempt whose call must not be repeated: by what Stripe has, or by the proof that it has nothing.
import { recordTimeline } from "../platform/timeline/store.ts";
import { applySnapshot, applyState } from "./apply.ts";
import type { PaymentParts } from "./parts.ts";
import { isIdle, type Snapshot } from "./payment.ts";
import { NEVER_EXECUTED } from "./progress.ts";
import { settleWaitMs } from "./schedule.ts";
import { findPayment, saveAttemptProgress, type AttemptRow, type PaymentRow } from "./store.ts";
import { lookLine } from "./story.ts";
import type { AttemptParams } from "./stripe/room.ts";

/** How far Stripe's clock may be from ours, in seconds. */
const CLOCK_SKEW_S = 300;

/** What there is of an attempt at Stripe. */
type Trace =
  | { readonly found: "intent"; readonly snapshot: Snapshot }
  /** Nothing, and nothing can come any more. */
  | { readonly found: "nothing" }
  /** Nothing yet, or it could not be told. */
  | { readonly found: "unclear" };

/** Asks Stripe what there is, and commits it. Throws a TransientError when Stripe cannot be asked now. */
export async function lookForAttempt(
  parts: PaymentParts,
  attempt: AttemptRow,
): Promise<PaymentRow> {
  const fetchTime = new Date();
  const trace = await traceOf(parts, attempt, fetchTime);
  const { paymentId, attemptNumber } = attempt;
  return await parts.inTransaction(async (tx) => {
    const settled = { status: "SETTLED", dueInMs: null } as const;
    const later = { status: "LOOKING", dueInMs: settleWaitMs(attempt.tries) } as const;
    const progress = trace.found === "unclear" ? later : settled;
    const [payment] = await Promise.all([
      trace.found === "intent"
        ? applySnapshot(tx, parts, paymentId, {
            snapshot: trace.snapshot,
            fetchTime,
            attemptNumber,
          }).then((applied) => applied.payment)
        : applyState(tx, parts, attempt, {
            status: trace.found === "nothing" ? "FAILED" : "UNKNOWN",
            declineCode: trace.found === "nothing" ? NEVER_EXECUTED : "",
            isRefusal: false,
          }),
      saveAttemptProgress(tx, attempt.id, progress),
    ]);
    await recordTimeline(tx, lookLine(payment, attempt, wordsOf(trace), progress.dueInMs));
    return payment;
  });
}

function wordsOf(trace: Trace): string {
  if (trace.found === "intent") return `the PaymentIntent is ${trace.snapshot.status}`;
  return trace.found === "nothing" ? "nothing, and nothing can come any more" : "nothing yet";
}

async function traceOf(parts: PaymentParts, attempt: AttemptRow, now: Date): Promise<Trace> {
  const isProof =
    attempt.lookTime !== null &&
    now.getTime() - attempt.lookTime.getTime() >= parts.pace.absenceProofMs;
  const params = attempt.params as AttemptParams;
  if (params.call === "confirm") {
    const { snapshot } = await parts.stripe.retrieve(params.paymentIntentId);
    return traceOfConfirmation(snapshot, isProof);
  }
  const payment = await findPayment(parts.db, { paymentId: attempt.paymentId }, undefined);
  if (payment?.paymentIntentId) {
    const { snapshot } = await parts.stripe.retrieve(payment.paymentIntentId);
    return { found: "intent", snapshot };
  }
  return await traceOfCreation(parts, attempt, { now, isProof });
}

/** A PaymentIntent that waits as before was not confirmed, or its card was declined: either way no money was taken. */
function traceOfConfirmation(snapshot: Snapshot, isProof: boolean): Trace {
  if (!isIdle(snapshot)) return { found: "intent", snapshot };
  if (!isProof) return { found: "unclear" };
  return snapshot.declineCode === undefined ? { found: "nothing" } : { found: "intent", snapshot };
}

/** By a list of what was made since the attempt began: a search may not show yet what was just written. */
async function traceOfCreation(
  { stripe, log }: PaymentParts,
  { paymentId, createTime }: AttemptRow,
  { now, isProof }: { readonly now: Date; readonly isProof: boolean },
): Promise<Trace> {
  const { items, isWhole } = await stripe.findIntents(paymentId, {
    gte: seconds(createTime) - CLOCK_SKEW_S,
    lte: seconds(now) + CLOCK_SKEW_S,
  });
  const [first, ...others] = items.toSorted((a, b) => b.amountReceived - a.amountReceived);
  if (others.length > 0)
    log.error(
      { paymentId, paymentIntentIds: items.map((item) => item.paymentIntentId) },
      "several PaymentIntents say that they are of one payment: an operator must look",
    );
  if (first !== undefined) return { found: "intent", snapshot: first };
  if (!isWhole)
    log.error({ paymentId }, "too many PaymentIntents to look for one: an operator must look");
  return { found: isProof && isWhole ? "nothing" : "unclear" };
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000);

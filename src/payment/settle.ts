// Calls Stripe for an attempt that is stored, and commits what came of it; a worker repeats the calls that were lost.
import type { Log } from "../platform/log.ts";
import { continueTrace } from "../platform/trace.ts";
import { applyResult, tellReview } from "./apply.ts";
import { ATTEMPT_LEASE_MS, type PaymentParts } from "./initiate.ts";
import { mayRepeat, settleWaitMs } from "./payment.ts";
import {
  claimDueAttempts,
  findPayment,
  saveAttemptProgress,
  type AttemptRow,
  type PaymentRow,
} from "./store.ts";
import type { AttemptParams, CallResult } from "./stripe.ts";
import { together } from "../platform/events/together.ts";

const WORKER_BATCH = 16;

/** Repeated now, the call could charge a second time. A webhook may still tell what became of the first. */
const tooOld = (): CallResult => ({
  outcome: "broken",
  reason: "its idempotency key protects nothing any more",
  error: new Error("a call to Stripe is still unsettled after a day"),
});

/** Makes an attempt's call, with its stored key and parameters, and commits what came of it. */
export async function settleAttempt(
  parts: PaymentParts,
  attempt: AttemptRow,
): Promise<{ payment: PaymentRow; clientSecret: string }> {
  // A repeated call is answered with what Stripe said the first time: the answer is as old as the attempt.
  const fetchTime = attempt.createTime;
  const result = mayRepeat(Date.now() - fetchTime.getTime())
    ? await parts.stripe.attempt(attempt.params as AttemptParams, attempt.idempotencyKey)
    : tooOld();
  report(parts.log, attempt, result);
  const payment = await parts.inTransaction(async (tx) => {
    const [applied] = await together([
      applyResult(tx, parts.outbox, attempt.paymentId, { result, fetchTime }),
      saveAttemptProgress(tx, attempt.id, progressOf(result, attempt.tries)),
    ]);
    return applied;
  });
  tellReview(parts.log, payment);
  return { payment, clientSecret: result.outcome === "answered" ? result.clientSecret : "" };
}

function progressOf(result: CallResult, tries: number): { status: string; dueInMs: number | null } {
  switch (result.outcome) {
    case "answered":
    case "refused":
      return { status: "SETTLED", dueInMs: null };
    case "unknown":
      return { status: "UNKNOWN", dueInMs: settleWaitMs(tries) };
    case "later":
      return { status: "CREATING", dueInMs: settleWaitMs(tries) };
    case "broken":
      return { status: "PARKED", dueInMs: null };
    default:
      return result satisfies never;
  }
}

function report(log: Log, attempt: AttemptRow, result: CallResult): void {
  const about = { paymentId: attempt.paymentId, attemptNumber: attempt.attemptNumber };
  if (result.outcome === "answered" || result.outcome === "refused") return;
  const { outcome, reason } = result;
  const error = outcome === "unknown" ? undefined : result.error;
  if (error === undefined) {
    log.warn(
      { ...about, reason },
      "the call to Stripe is not settled; it is repeated with its key",
    );
  } else {
    log.error(
      { ...about, reason, outcome, error },
      "the call to Stripe does not work: an operator must look",
    );
  }
}

/** Makes the calls that are due again. The number of them. */
export async function settleDueAttempts(parts: PaymentParts): Promise<number> {
  const due = await claimDueAttempts(parts.db, { limit: WORKER_BATCH, leaseMs: ATTEMPT_LEASE_MS });
  await Promise.all(due.map((attempt) => settleDue(parts, attempt)));
  return due.length;
}

async function settleDue(parts: PaymentParts, attempt: AttemptRow): Promise<void> {
  const payment = await findPayment(parts.db, { paymentId: attempt.paymentId }, undefined);
  await continueTrace(payment?.traceparent, () => settleAttempt(parts, attempt));
}

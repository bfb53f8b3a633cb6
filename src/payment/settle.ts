// Calls Stripe for an attempt that is stored, and commits what came of it; a worker goes on with the calls that are not settled.
import type { Transaction } from "../platform/database/open.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { continueTrace } from "../platform/trace.ts";
import { applySnapshot, applyState, mustLock, type News } from "./apply.ts";
import { eachAlone } from "./each-alone.ts";
import { isCustomersRefusal } from "./failure.ts";
import { lookForAttempt } from "./look.ts";
import type { PaymentParts } from "./parts.ts";
import { progressOf, reportCall } from "./progress.ts";
import { mayRepeat } from "./schedule.ts";
import {
  claimDueAttempts,
  findPayment,
  saveAttemptProgress,
  type AttemptRow,
  type PaymentRow,
} from "./store.ts";
import { callLine } from "./story.ts";
import type { CallResult } from "./stripe/call.ts";
import type { IntentAnswer } from "./stripe/objects.ts";
import type { AttemptParams } from "./stripe/room.ts";

const WORKER_BATCH = 16;

export interface Settled {
  readonly payment: PaymentRow;
  /** "" where Stripe gave none. */
  readonly clientSecret: string;
}

/** Makes an attempt's call, with its stored key and parameters, or looks what became of it; commits what came of that. */
export async function settleAttempt(parts: PaymentParts, attempt: AttemptRow): Promise<Settled> {
  const isRepeatable =
    attempt.status !== "LOOKING" &&
    attempt.status !== "PARKED" &&
    mayRepeat(Date.now() - attempt.createTime.getTime());
  if (!isRepeatable) return { payment: await lookForAttempt(parts, attempt), clientSecret: "" };
  const result = await parts.stripe.attempt(
    attempt.params as AttemptParams,
    attempt.idempotencyKey,
  );
  const { paymentId, attemptNumber } = attempt;
  reportCall(parts.log, { paymentId, attemptNumber }, result);
  const news =
    result.outcome === "answered" ? await newsOf(parts, attempt, result.value) : undefined;
  const progress = progressOf(result.outcome, attempt.tries);
  const payment = await parts.inTransaction(async (tx) => {
    const [applied] = await Promise.all([
      news === undefined
        ? applyFailure(tx, parts, attempt, result)
        : applySnapshot(tx, parts, paymentId, news).then((done) => done.payment),
      saveAttemptProgress(tx, attempt.id, progress),
    ]);
    if (result.outcome === "answered") return applied;
    const call = { name: `Attempt ${attemptNumber}`, references: { attempt_id: attempt.id } };
    await recordTimeline(tx, callLine(applied, call, result, progress));
    return applied;
  });
  const clientSecret = result.outcome === "answered" ? result.value.clientSecret : "";
  return { payment, clientSecret };
}

/** A repeated call is answered with what Stripe said the first time, so the answer is as old as the attempt: Stripe is asked anew. */
async function newsOf(
  { stripe, log }: PaymentParts,
  { id, createTime, attemptNumber, tries }: AttemptRow,
  { snapshot }: IntentAnswer,
): Promise<News> {
  const isLastWord = snapshot.status === "succeeded" || snapshot.status === "canceled";
  const old = { snapshot, fetchTime: createTime, attemptNumber };
  if (tries === 0 || isLastWord) return old;
  const fetchTime = new Date();
  try {
    const now = await stripe.retrieve(snapshot.paymentIntentId);
    return { snapshot: now.snapshot, fetchTime, attemptNumber };
  } catch (error) {
    log.warn({ attemptId: id, error }, "Stripe cannot be asked anew; it is when the check is due");
    return old;
  }
}

async function applyFailure(
  tx: Transaction,
  parts: PaymentParts,
  attempt: AttemptRow,
  result: CallResult<IntentAnswer>,
): Promise<PaymentRow> {
  switch (result.outcome) {
    case "refused": {
      const { code: declineCode, failure } = result.failed;
      const isRefusal = isCustomersRefusal(failure);
      return await applyState(tx, parts, attempt, { status: "FAILED", declineCode, isRefusal });
    }
    case "repeat":
    case "look":
    case "park": {
      const lost = { status: "UNKNOWN", declineCode: "", isRefusal: false } as const;
      return await applyState(tx, parts, attempt, lost);
    }
    case "wait":
    case "answered":
      return await mustLock(tx, attempt.paymentId);
    default:
      return result satisfies never;
  }
}

/** Goes on with the attempts that are due. The number of them. */
export async function settleDueAttempts(parts: PaymentParts): Promise<number> {
  const due = await claimDueAttempts(parts.db, {
    limit: WORKER_BATCH,
    leaseMs: parts.pace.leaseMs,
  });
  await eachAlone(parts.log, due, (attempt) => settleDue(parts, attempt));
  return due.length;
}

async function settleDue(parts: PaymentParts, attempt: AttemptRow): Promise<void> {
  const payment = await findPayment(parts.db, { paymentId: attempt.paymentId }, undefined);
  await continueTrace(payment?.traceparent, () => settleAttempt(parts, attempt));
}

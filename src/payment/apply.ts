// Applies what Stripe said to a payment, under its row lock, and publishes the change in the same transaction.
import type { Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import type { PaymentParts } from "./parts.ts";
import {
  type Decision,
  isFinal,
  isIdle,
  onSnapshot,
  type PaymentState,
  type Snapshot,
} from "./payment.ts";
import { publishStatus } from "./publish.ts";
import { checkWaitMs } from "./schedule.ts";
import { changeLines } from "./story.ts";
import {
  findAttempt,
  lockPayment,
  markRefused,
  savePaymentChange,
  settleAttemptRow,
  type AttemptRow,
  type PaymentChange,
  type PaymentRow,
} from "./store.ts";
import type { AttemptParams } from "./stripe/room.ts";
import { fromStripeAmount, toStripeAmount } from "./stripe-amount.ts";

export type ApplyParts = Pick<PaymentParts, "outbox" | "log" | "pace">;

export interface Applied {
  readonly payment: PaymentRow;
  /** Why nothing changed. */
  readonly ignored?: string;
  /** Nothing can be said of it yet: look again soon. */
  readonly notYet?: boolean;
}

export interface News {
  readonly snapshot: Snapshot;
  /** When it was asked for: an answer that is older than what the row shows is ignored. */
  readonly fetchTime: Date;
  /** The attempt whose own call was answered so; absent for what was fetched, or came by webhook. */
  readonly attemptNumber?: number;
}

/** Applies what a PaymentIntent said. */
export async function applySnapshot(
  tx: Transaction,
  parts: ApplyParts,
  paymentId: string,
  news: News,
): Promise<Applied> {
  const payment = await mustLock(tx, paymentId);
  const { snapshot } = news;
  const decision = onSnapshot(
    { status: payment.status as PaymentState, paymentIntentId: payment.paymentIntentId },
    snapshot,
    {
      paymentId,
      amount: toStripeAmount(payment.currencyCode, payment.minorUnits),
      currency: payment.currencyCode.toLowerCase(),
    },
  );
  if (!decision.change) return await keep(tx, parts, payment, { decision, snapshot });
  const late = whyLate(payment, news, decision.status);
  if (late !== undefined) return { payment, ignored: late };
  if (news.attemptNumber === undefined && (await isBeforeAttempt(tx, payment, decision, news)))
    return {
      payment,
      ignored: `attempt ${payment.attemptNumber} is not settled, and this shows nothing of it`,
      notYet: true,
    };
  const isOwn = (payment.paymentIntentId ?? snapshot.paymentIntentId) === snapshot.paymentIntentId;
  return await change(tx, parts, payment, {
    status: decision.status,
    declineCode: decision.declineCode,
    reviewReason: decision.reviewReason,
    snapshotTime: news.fetchTime,
    ...(isOwn && {
      paymentIntentId: snapshot.paymentIntentId,
      receivedMinorUnits: receivedOf(payment, snapshot),
    }),
  });
}

function whyLate(payment: PaymentRow, news: News, next: PaymentState): string | undefined {
  if (isFinal(next)) return undefined;
  const { status } = news.snapshot;
  if (payment.snapshotTime !== null && news.fetchTime <= payment.snapshotTime)
    return `late ${status} ignored: a later answer of Stripe is known`;
  return news.attemptNumber !== undefined && news.attemptNumber < payment.attemptNumber
    ? `late ${status} ignored: attempt ${payment.attemptNumber} was begun since`
    : undefined;
}

/**
 * What was fetched while an attempt's call is not settled. Of a call that makes the PaymentIntent it is the outcome, so the call
 * is settled by it; of one that confirms it again, only a PaymentIntent that has moved tells anything.
 */
async function isBeforeAttempt(
  tx: Transaction,
  payment: PaymentRow,
  decision: Decision & { readonly change: true },
  { snapshot }: News,
): Promise<boolean> {
  const attempt = await findAttempt(tx, payment.id, payment.attemptNumber);
  if (attempt === undefined || attempt.status === "SETTLED") return false;
  const isMoot = (attempt.params as AttemptParams).call === "create" || isFinal(decision.status);
  if (isMoot) await settleAttemptRow(tx, attempt.id);
  return !isMoot && isIdle(snapshot);
}

const receivedOf = ({ currencyCode }: PaymentRow, snapshot: Snapshot): bigint | null =>
  snapshot.amountReceived > 0 && snapshot.currency === currencyCode.toLowerCase()
    ? fromStripeAmount(currencyCode, snapshot.amountReceived)
    : null;

/** The status stays; what operators must hear of, and a PaymentIntent that was not known, are written down all the same. */
async function keep(
  tx: Transaction,
  parts: ApplyParts,
  payment: PaymentRow,
  { decision, snapshot }: { decision: Decision & { readonly change: false }; snapshot: Snapshot },
): Promise<Applied> {
  const { reason, reviewReason } = decision;
  const isNewReview = reviewReason !== undefined && reviewReason !== payment.reviewReason;
  const isAdopted = payment.paymentIntentId === null && !isFinal(payment.status as PaymentState);
  if (payment.paymentIntentId !== null && payment.paymentIntentId !== snapshot.paymentIntentId)
    parts.log.error(
      { paymentId: payment.id, orderId: payment.orderId, reason },
      "a second PaymentIntent",
    );
  if (!isNewReview && !isAdopted) return { payment, ignored: reason };
  const next = {
    ...(isNewReview && { reviewReason }),
    ...(isAdopted && { paymentIntentId: snapshot.paymentIntentId }),
  };
  const applied = await change(tx, parts, payment, next);
  if (isNewReview) tellReview(parts, applied.payment);
  return { ...applied, ignored: reason };
}

/** Applies a state that Stripe has shown no PaymentIntent for: a lost call (UNKNOWN), a call refused for good or never made (FAILED). */
export async function applyState(
  tx: Transaction,
  parts: ApplyParts,
  attempt: Pick<AttemptRow, "paymentId" | "attemptNumber">,
  news: {
    readonly status: "UNKNOWN" | "FAILED";
    readonly declineCode: string;
    readonly isRefusal: boolean;
  },
): Promise<PaymentRow> {
  const payment = await mustLock(tx, attempt.paymentId);
  // A webhook may have told what became of the call while we thought it lost.
  const isUnheard = payment.status === "PENDING_INITIATION" || payment.status === "UNKNOWN";
  if (!isUnheard || attempt.attemptNumber < payment.attemptNumber) return payment;
  const { status, declineCode, isRefusal } = news;
  if (status === payment.status) return payment;
  return (await change(tx, parts, payment, { status, declineCode, isRefusal })).payment;
}

/** Gives up a payment that Stripe knows nothing of. */
export const applyGivenUp = async (
  tx: Transaction,
  parts: ApplyParts,
  payment: PaymentRow,
): Promise<PaymentRow> =>
  (await change(tx, parts, payment, { status: "CANCELLED", declineCode: "" })).payment;

/** Operators are told of money that does not fit: nothing else happens to such a payment by itself. */
function tellReview({ log }: ApplyParts, payment: PaymentRow): void {
  const { id, orderId, paymentIntentId, reviewReason } = payment;
  log.error(
    { paymentId: id, orderId, paymentIntentId, reviewReason },
    "Stripe's money does not fit the payment: an operator must look",
  );
}

export async function mustLock(tx: Transaction, paymentId: string): Promise<PaymentRow> {
  const payment = await lockPayment(tx, paymentId);
  if (payment === undefined) throw new Error(`payment ${paymentId} is gone`);
  return payment;
}

/** `isRefusal`: whether FAILED says that the bank refused the attempt, which counts against the customer. */
async function change(
  tx: Transaction,
  parts: ApplyParts,
  before: PaymentRow,
  { isRefusal = true, ...next }: PaymentChange & { readonly isRefusal?: boolean },
): Promise<Applied> {
  const payment = changed(before, { ...next, ...nextCheck(before, next, parts) });
  const isNews = payment.status !== before.status;
  // Sent together, run one after the other: one round trip.
  await together([
    savePaymentChange(tx, payment),
    isNews && publishStatus(tx, parts.outbox, payment),
    isNews && payment.status === "FAILED" && isRefusal && markRefused(tx, payment),
    recordTimeline(tx, ...changeLines(before, payment, isRefusal)),
  ]);
  if (isNews && payment.status === "REVIEW") tellReview(parts, payment);
  return { payment };
}

/** A PaymentIntent that waits for somebody is looked at now and then: its webhook may be lost. */
function nextCheck(
  before: PaymentRow,
  next: PaymentChange,
  { pace }: Pick<PaymentParts, "pace">,
): PaymentChange {
  const status = next.status ?? before.status;
  const intent = next.paymentIntentId ?? before.paymentIntentId;
  if (isFinal(status as PaymentState)) return { checkDueTime: null };
  if (intent === null || (status === before.status && before.checkDueTime !== null)) return {};
  return {
    checkDueTime: new Date(Date.now() + checkWaitMs(0, pace.firstCheckMs)),
    checkTries: 0,
  };
}

/** The row after the change. */
export const changed = (before: PaymentRow, next: PaymentChange): PaymentRow => ({
  ...before,
  ...next,
  version: before.version + 1n,
  updateTime: new Date(),
});

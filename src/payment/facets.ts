// Applies what Stripe said of a refund or a dispute, each under its own ID, so that they may arrive in any order.
import { v5 } from "uuid";
import type { Transaction } from "../platform/database/open.ts";
import { together } from "../platform/events/together.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { changed, mustLock } from "./apply.ts";
import { type DisputeSnapshot, disputeStateOf } from "./dispute.ts";
import {
  findFacets,
  saveDispute,
  saveRefund,
  saveRefundChange,
  settleRefundRow,
  type DisputeRow,
  type RefundRow,
} from "./facet-store.ts";
import { disputeLine, refundLine } from "./facet-story.ts";
import type { PaymentParts } from "./parts.ts";
import { publishDisputed, publishRefunded } from "./publish.ts";
import {
  isRefundOpen,
  refundCauseOf,
  type RefundSnapshot,
  type RefundState,
  refundStateOf,
} from "./refund.ts";
import { checkWaitMs } from "./schedule.ts";
import { savePaymentChange, type PaymentRow } from "./store.ts";
import { fromStripeAmount } from "./stripe-amount.ts";

type FacetParts = Pick<PaymentParts, "outbox" | "pace">;

/** What Stripe said of a facet, and when it was asked: an older answer than the row shows is ignored. */
export interface FacetNews<S> {
  readonly snapshot: S;
  readonly fetchTime: Date;
}

/** Names the IDs that are made of Stripe's (RFC 9562, version 5). */
const STRIPE_NAMESPACE = "5a1b6f0e-6c0e-4f6e-9a63-2f6f3ad0f9c4";

/** Applies what Stripe said of a refund: one of ours, or one that was made at Stripe. Why nothing changed, or undefined. */
export async function applyRefund(
  tx: Transaction,
  parts: FacetParts,
  paymentId: string,
  { snapshot, fetchTime }: FacetNews<RefundSnapshot>,
): Promise<string | undefined> {
  const payment = await mustLock(tx, paymentId);
  const { refunds } = (await findFacets(tx, [paymentId])).get(paymentId) ?? { refunds: [] };
  const before = refunds.find((row) => isSame(row, snapshot));
  if (before?.snapshotTime && fetchTime <= before.snapshotTime)
    return "a later answer of Stripe is known";
  const status = refundStateOf(snapshot.status);
  const told = {
    status: status ?? before?.status ?? "PENDING",
    minorUnits: fromStripeAmount(payment.currencyCode, snapshot.amount),
    failureReason: snapshot.failureReason,
    stripeRefundId: snapshot.stripeRefundId,
    snapshotTime: fetchTime,
  };
  const isNews =
    before === undefined ||
    before.status !== told.status ||
    before.minorUnits !== told.minorUnits ||
    before.failureReason !== told.failureReason;
  const now = new Date();
  const refund = {
    ...(before ?? madeAtStripe(payment, snapshot)),
    ...told,
    ...(isNews && { updateTime: now }),
  };
  const dueInMs = isRefundOpen(refund.status as RefundState)
    ? checkWaitMs(before?.callStatus === "SETTLED" ? before.tries : 0, parts.pace.firstCheckMs)
    : null;
  await (before === undefined
    ? saveRefund(tx, refund)
    : saveRefundChange(tx, refund.id, { ...told, updateTime: refund.updateTime }));
  await settleRefundRow(tx, refund.id, dueInMs);
  if (!isNews) return "nothing new";
  const all = [...refunds.filter((row) => row.id !== refund.id), refund];
  await together([
    savePaymentChange(tx, changed(payment, {})),
    publishRefunded(tx, parts.outbox, payment, { refund, refunds: all }),
    recordTimeline(tx, refundLine(payment, refund)),
  ]);
  return status === undefined
    ? `this version does not know Stripe's status ${snapshot.status}`
    : undefined;
}

/** By Stripe's ID; by ours, which Stripe was given with the call, while Stripe's is not known. */
const isSame = (row: RefundRow, { stripeRefundId, refundId }: RefundSnapshot): boolean =>
  row.stripeRefundId === null ? row.id === refundId : row.stripeRefundId === stripeRefundId;

function madeAtStripe(payment: PaymentRow, snapshot: RefundSnapshot): RefundRow {
  return {
    id: v5(snapshot.stripeRefundId, STRIPE_NAMESPACE),
    paymentId: payment.id,
    source: null,
    requestedMinorUnits: null,
    currencyCode: payment.currencyCode,
    minorUnits: 0n,
    status: "PENDING",
    reason: refundCauseOf(snapshot.reason),
    failureReason: "",
    stripeRefundId: snapshot.stripeRefundId,
    idempotencyKey: "",
    params: null,
    callStatus: "SETTLED",
    tries: 0,
    dueTime: null,
    lookTime: null,
    snapshotTime: null,
    createTime: new Date(snapshot.created * 1000),
    updateTime: new Date(),
  };
}

/** A refund that Stripe refused, or that is proven never to have been made: its amount is free again. */
export async function applyRefundFailure(
  tx: Transaction,
  parts: FacetParts,
  { id, paymentId }: Pick<RefundRow, "id" | "paymentId">,
  failureReason: string,
): Promise<void> {
  const payment = await mustLock(tx, paymentId);
  const { refunds } = (await findFacets(tx, [paymentId])).get(paymentId) ?? { refunds: [] };
  const before = refunds.find((row) => row.id === id);
  // A webhook may have told of it while we thought its call lost.
  if (before?.status !== "PENDING_INITIATION") return;
  const refund = { ...before, status: "FAILED", failureReason, updateTime: new Date() };
  const all = [...refunds.filter((row) => row.id !== id), refund];
  const { status, updateTime } = refund;
  await together([
    saveRefundChange(tx, id, { status, failureReason, updateTime }),
    settleRefundRow(tx, id, null),
    savePaymentChange(tx, changed(payment, {})),
    publishRefunded(tx, parts.outbox, payment, { refund, refunds: all }),
    recordTimeline(tx, refundLine(payment, refund)),
  ]);
}

/** Applies what Stripe said of a dispute. Why nothing changed, or undefined. */
export async function applyDispute(
  tx: Transaction,
  parts: FacetParts,
  paymentId: string,
  { snapshot, fetchTime }: FacetNews<DisputeSnapshot>,
): Promise<string | undefined> {
  const payment = await mustLock(tx, paymentId);
  const { disputes } = (await findFacets(tx, [paymentId])).get(paymentId) ?? { disputes: [] };
  const before = disputes.find((row) => row.id === snapshot.id);
  if (before !== undefined && fetchTime <= before.snapshotTime)
    return "a later answer of Stripe is known";
  const status = disputeStateOf(snapshot.status);
  if (status === undefined && before !== undefined)
    return `this version does not know Stripe's status ${snapshot.status}`;
  const minorUnits = fromStripeAmount(payment.currencyCode, snapshot.amount);
  const { id, reason } = snapshot;
  const isNews =
    before === undefined || before.status !== status || before.minorUnits !== minorUnits;
  const dispute: DisputeRow = {
    id,
    paymentId,
    currencyCode: payment.currencyCode,
    minorUnits,
    // One that is not known means money that may be gone: better told too early.
    status: status ?? "OPEN",
    reason,
    snapshotTime: fetchTime,
    createTime: new Date(snapshot.created * 1000),
    updateTime: isNews ? new Date() : before.updateTime,
  };
  await saveDispute(tx, dispute);
  if (!isNews) return "nothing new";
  const all = [...disputes.filter((row) => row.id !== id), dispute];
  await together([
    savePaymentChange(tx, changed(payment, {})),
    publishDisputed(tx, parts.outbox, payment, { dispute, disputes: all }),
    recordTimeline(tx, disputeLine(payment, dispute)),
  ]);
  return undefined;
}

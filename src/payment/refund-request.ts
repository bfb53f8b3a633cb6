// Commits the intent to give money back, before Stripe is called: never more than was paid, however many ask at once.
import type { RefundPaymentRequest } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { RefundReason } from "../../gen/waybill/payment/v1/refund_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import { violatesUnique } from "../platform/database/unique.ts";
import { together } from "../platform/events/together.ts";
import { newId } from "../platform/id.ts";
import { Refusal } from "../platform/refusal.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import {
  findFacets,
  findRefundBySource,
  REFUND_SOURCE,
  saveRefund,
  type RefundRow,
} from "./facet-store.ts";
import { refundAskedLine } from "./facet-story.ts";
import type { PaymentParts } from "./parts.ts";
import { type RefundCause, stripeReasonOf, sumOfRefunds } from "./refund.ts";
import { lockPayment, type PaymentRow } from "./store.ts";
import type { RefundParams } from "./stripe/room.ts";
import { toStripeAmount } from "./stripe-amount.ts";

export interface RefundAsked {
  readonly request: RefundPaymentRequest;
  /** Who asks: a request_id is his own. */
  readonly caller: string;
  /** The customer whose payment it must be; undefined: anybody's. */
  readonly scope: string | undefined;
}

export interface RefundStarted {
  readonly refund: RefundRow;
  /** False: the request was known already. */
  readonly isNew: boolean;
}

/** Stores the refund, or finds it: the same request_id of the same caller is the same refund. */
export async function startRefund(parts: PaymentParts, asked: RefundAsked): Promise<RefundStarted> {
  const source = `${asked.caller}:${asked.request.requestId}`;
  const known = await findRefundBySource(parts.db, source);
  if (known !== undefined) return sameAs(known, asked);
  try {
    return await parts.inTransaction((tx) =>
      newRefund(tx, asked, { source, leaseMs: parts.pace.leaseMs }),
    );
  } catch (error) {
    if (!violatesUnique(error, REFUND_SOURCE)) throw error;
    const meanwhile = await findRefundBySource(parts.db, source);
    if (meanwhile === undefined) throw error;
    return sameAs(meanwhile, asked);
  }
}

function sameAs(known: RefundRow, { request }: RefundAsked): RefundStarted {
  const { amount } = request;
  const isSame =
    known.paymentId === request.paymentId &&
    known.reason === RefundReason[request.reason] &&
    known.requestedMinorUnits === (amount?.minorUnits ?? null) &&
    (amount === undefined || amount.currencyCode === known.currencyCode);
  if (isSame) return { refund: known, isNew: false };
  throw new Refusal(
    "invalid_argument",
    "this request_id was used for another refund; choose a new one for each refund that is meant",
    { field: "request_id", reason: "IDEMPOTENCY_KEY_REUSED" },
  );
}

/** Under the payment's lock, which makes refunds of one payment follow each other. */
async function newRefund(
  tx: Transaction,
  asked: RefundAsked,
  { source, leaseMs }: { readonly source: string; readonly leaseMs: number },
): Promise<RefundStarted> {
  const { request, scope } = asked;
  const payment = await lockPayment(tx, request.paymentId);
  if (payment === undefined || (scope !== undefined && scope !== payment.customerId))
    throw new Refusal("not_found", "there is no such payment");
  const meanwhile = await findRefundBySource(tx, source);
  if (meanwhile !== undefined) return sameAs(meanwhile, asked);
  const { paymentIntentId, receivedMinorUnits } = payment;
  if (paymentIntentId === null || receivedMinorUnits === null)
    throw new Refusal(
      "failed_precondition",
      `no money was taken for this payment that could be given back: it is ${payment.status}`,
    );
  const facets = (await findFacets(tx, [payment.id])).get(payment.id);
  const left = receivedMinorUnits - sumOfRefunds(facets?.refunds ?? []);
  const minorUnits = amountOf(request, payment, left);
  const refund = refundRow({ payment, paymentIntentId, source, request, minorUnits, leaseMs });
  await together([saveRefund(tx, refund), recordTimeline(tx, refundAskedLine(payment, refund))]);
  return { refund, isNew: true };
}

/** How much to give back. Refuses more than is left, and another currency. */
function amountOf({ amount }: RefundPaymentRequest, payment: PaymentRow, left: bigint): bigint {
  if (amount !== undefined && amount.currencyCode !== payment.currencyCode)
    throw new Refusal("invalid_argument", `the payment is in ${payment.currencyCode}`, {
      field: "amount.currency_code",
    });
  const minorUnits = amount?.minorUnits ?? left;
  if (left <= 0n || minorUnits > left)
    throw new Refusal(
      "invalid_argument",
      `${left} of the payment's minor units are left to be given back`,
      { field: "amount", reason: "MORE_THAN_IS_LEFT" },
    );
  return minorUnits;
}

function refundRow(o: {
  readonly payment: PaymentRow;
  readonly paymentIntentId: string;
  readonly source: string;
  readonly request: RefundPaymentRequest;
  readonly minorUnits: bigint;
  readonly leaseMs: number;
}): RefundRow {
  const id = newId();
  const now = new Date();
  const { currencyCode } = o.payment;
  const cause = RefundReason[o.request.reason] as RefundCause;
  const reason = stripeReasonOf(cause);
  const params: RefundParams = {
    payment_intent: o.paymentIntentId,
    amount: toStripeAmount(currencyCode, o.minorUnits),
    ...(reason && { reason }),
    // By these a webhook finds us, even if the answer to this call never comes.
    metadata: { refund_id: id, payment_id: o.payment.id, order_id: o.payment.orderId },
  };
  return {
    id,
    paymentId: o.payment.id,
    source: o.source,
    requestedMinorUnits: o.request.amount?.minorUnits ?? null,
    currencyCode,
    minorUnits: o.minorUnits,
    status: "PENDING_INITIATION",
    reason: cause,
    failureReason: "",
    stripeRefundId: null,
    idempotencyKey: `re_${id}`,
    params,
    callStatus: "CREATING",
    tries: 0,
    dueTime: new Date(Date.now() + o.leaseMs),
    lookTime: null,
    snapshotTime: null,
    createTime: now,
    updateTime: now,
  };
}

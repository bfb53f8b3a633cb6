// Rows of the Payment service to messages of the contract.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  PaymentSchema,
  PaymentStatus,
  type Payment,
} from "../../gen/waybill/payment/v1/payment_pb.js";
import {
  DisputeSchema,
  DisputeStatus,
  RefundReason,
  RefundSchema,
  RefundStatus,
  type Dispute,
  type Refund,
} from "../../gen/waybill/payment/v1/refund_pb.js";
import { type DisputeState, isDisputed } from "./dispute.ts";
import type { DisputeRow, Facets, RefundRow } from "./facet-store.ts";
import type { PaymentState } from "./payment.ts";
import { type RefundCause, refundedOf, type RefundState } from "./refund.ts";
import type { PaymentRow } from "./store.ts";

const NONE: Facets = { refunds: [], disputes: [] };

/** `forOperator`: whether the reader may see what only operators may. */
export const toPayment = (
  row: PaymentRow,
  facets: Facets = NONE,
  { forOperator }: { readonly forOperator: boolean } = { forOperator: false },
): Payment =>
  create(PaymentSchema, {
    id: row.id,
    orderId: row.orderId,
    customerId: row.customerId,
    status: PaymentStatus[row.status as PaymentState],
    amount: { currencyCode: row.currencyCode, minorUnits: row.minorUnits },
    attemptNumber: row.attemptNumber,
    declineCode: row.declineCode,
    paymentIntentId: row.paymentIntentId ?? "",
    createTime: timestampFromDate(row.createTime),
    updateTime: timestampFromDate(row.updateTime),
    refunded: { currencyCode: row.currencyCode, minorUnits: refundedOf(facets.refunds) },
    refunds: facets.refunds.map(toRefund),
    disputed: isDisputed(facets.disputes),
    disputes: facets.disputes.map(toDispute),
    reviewReason: forOperator ? row.reviewReason : "",
  });

export const toRefund = (row: RefundRow): Refund =>
  create(RefundSchema, {
    id: row.id,
    paymentId: row.paymentId,
    amount: { currencyCode: row.currencyCode, minorUnits: row.minorUnits },
    status: RefundStatus[row.status as RefundState],
    reason: RefundReason[row.reason as RefundCause],
    failureReason: row.failureReason,
    stripeRefundId: row.stripeRefundId ?? "",
    createTime: timestampFromDate(row.createTime),
    updateTime: timestampFromDate(row.updateTime),
  });

export const toDispute = (row: DisputeRow): Dispute =>
  create(DisputeSchema, {
    id: row.id,
    amount: { currencyCode: row.currencyCode, minorUnits: row.minorUnits },
    status: DisputeStatus[row.status as DisputeState],
    reason: row.reason,
    createTime: timestampFromDate(row.createTime),
    updateTime: timestampFromDate(row.updateTime),
  });

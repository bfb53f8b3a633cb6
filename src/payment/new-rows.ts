// The rows with which a payment and an attempt begin.
import type { InitiatePaymentRequest } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { newId } from "../platform/id.ts";
import { traceToStore } from "../platform/trace.ts";
import type { AttemptRow, PaymentRow } from "./store.ts";
import type { AttemptParams } from "./stripe/room.ts";

export function newPayment(
  request: Pick<InitiatePaymentRequest, "orderId" | "customerId" | "amount">,
): PaymentRow {
  const now = new Date();
  return {
    id: newId(),
    orderId: request.orderId,
    customerId: request.customerId,
    currencyCode: request.amount?.currencyCode ?? "",
    minorUnits: request.amount?.minorUnits ?? 0n,
    status: "PENDING_INITIATION",
    attemptNumber: 1,
    declineCode: "",
    paymentIntentId: null,
    snapshotTime: null,
    receivedMinorUnits: null,
    reviewReason: "",
    checkDueTime: null,
    checkTries: 0,
    traceparent: traceToStore(),
    version: 1n,
    createTime: now,
    updateTime: now,
  };
}

/** `leaseMs`: how long its call has before a worker makes it. */
export function newAttempt(
  payment: PaymentRow,
  params: AttemptParams,
  leaseMs: number,
): AttemptRow {
  const id = newId();
  return {
    id,
    paymentId: payment.id,
    customerId: payment.customerId,
    attemptNumber: payment.attemptNumber,
    status: "CREATING",
    idempotencyKey: `pa_${id}`,
    params,
    tries: 0,
    dueTime: new Date(Date.now() + leaseMs),
    lookTime: null,
    refuseTime: null,
    createTime: new Date(),
  };
}

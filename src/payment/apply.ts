// Applies what Stripe said to a payment, under its row lock, and publishes the change in the same transaction.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import type { Transaction } from "../platform/database/open.ts";
import type { Outbox } from "../platform/events/outbox.ts";
import type { Log } from "../platform/log.ts";
import { isFinal, onSnapshot, type PaymentState, type Snapshot } from "./payment.ts";
import { lockPayment, savePaymentChange, type PaymentChange, type PaymentRow } from "./store.ts";
import type { CallResult } from "./stripe.ts";
import { toStripeAmount } from "./stripe-amount.ts";
import { together } from "../platform/events/together.ts";

export type Applied = { readonly payment: PaymentRow; readonly ignored?: string };

/** Applies how a call to Stripe ended. The payment as it is then. */
export async function applyResult(
  tx: Transaction,
  outbox: Outbox,
  paymentId: string,
  { result, fetchTime }: { readonly result: CallResult; readonly fetchTime: Date },
): Promise<PaymentRow> {
  switch (result.outcome) {
    case "answered": {
      const { snapshot } = result;
      return (await applySnapshot(tx, outbox, paymentId, { snapshot, fetchTime })).payment;
    }
    case "refused":
      return await applyState(tx, outbox, paymentId, { status: "FAILED", ...result });
    case "unknown":
    case "broken":
      return await applyState(tx, outbox, paymentId, { status: "UNKNOWN", declineCode: "" });
    case "later":
      return await mustLock(tx, paymentId);
    default:
      return result satisfies never;
  }
}

/** Applies a snapshot that was asked for at `fetchTime`. An answer that is older than what the row shows is ignored. */
export async function applySnapshot(
  tx: Transaction,
  outbox: Outbox,
  paymentId: string,
  news: { readonly snapshot: Snapshot; readonly fetchTime: Date },
): Promise<Applied> {
  const payment = await mustLock(tx, paymentId);
  const { snapshot, fetchTime } = news;
  const decision = onSnapshot(payment.status as PaymentState, snapshot, {
    paymentId,
    amount: toStripeAmount(payment.currencyCode, payment.minorUnits),
    currency: payment.currencyCode.toLowerCase(),
  });
  if (!decision.change) return { payment, ignored: decision.reason };
  if (
    !isFinal(decision.status) &&
    payment.snapshotTime !== null &&
    fetchTime <= payment.snapshotTime
  ) {
    return {
      payment,
      ignored: `late ${snapshot.status} ignored: a later answer of Stripe is known`,
    };
  }
  return await change(tx, outbox, payment, {
    status: decision.status,
    declineCode: decision.declineCode,
    paymentIntentId: snapshot.paymentIntentId,
    snapshotTime: fetchTime,
  });
}

/** Applies a state that Stripe has shown no PaymentIntent for: a lost call (UNKNOWN), a call refused for good (FAILED). */
async function applyState(
  tx: Transaction,
  outbox: Outbox,
  paymentId: string,
  { status, declineCode }: { readonly status: "UNKNOWN" | "FAILED"; readonly declineCode: string },
): Promise<PaymentRow> {
  const payment = await mustLock(tx, paymentId);
  // A webhook may have told what became of the call while we thought it lost.
  const unheard = payment.status === "PENDING_INITIATION" || payment.status === "UNKNOWN";
  if (isFinal(payment.status as PaymentState) || (status === "UNKNOWN" && !unheard)) return payment;
  return (await change(tx, outbox, payment, { status, declineCode })).payment;
}

/** Operators are told of money that does not fit: nothing else happens to such a payment by itself. */
export function tellReview(log: Log, { id, orderId, paymentIntentId, status }: PaymentRow): void {
  if (status !== "REVIEW") return;
  log.error(
    { paymentId: id, orderId, paymentIntentId },
    "Stripe took another amount or for another payment than was asked for: an operator must look",
  );
}

async function mustLock(tx: Transaction, paymentId: string): Promise<PaymentRow> {
  const payment = await lockPayment(tx, paymentId);
  if (payment === undefined) throw new Error(`payment ${paymentId} is gone`);
  return payment;
}

async function change(
  tx: Transaction,
  outbox: Outbox,
  before: PaymentRow,
  next: PaymentChange,
): Promise<Applied> {
  const payment = changed(before, next);
  const isNews = payment.status !== before.status;
  // Sent together, run one after the other: one round trip.
  await together([savePaymentChange(tx, payment), isNews && publishStatus(tx, outbox, payment)]);
  return { payment };
}

/** The row after the change. */
export const changed = (before: PaymentRow, next: PaymentChange): PaymentRow => ({
  ...before,
  ...next,
  version: before.version + 1n,
  updateTime: new Date(),
});

export async function publishStatus(
  tx: Transaction,
  outbox: Outbox,
  payment: PaymentRow,
): Promise<void> {
  await outbox.publish(tx, PaymentStatusEventSchema, {
    orderId: payment.orderId,
    customerId: payment.customerId,
    paymentId: payment.id,
    event: {
      case: "paymentStatusUpdated",
      value: {
        status: PaymentStatus[payment.status as PaymentState],
        attemptNumber: payment.attemptNumber,
        amount: { currencyCode: payment.currencyCode, minorUnits: payment.minorUnits },
        declineCode: payment.declineCode,
        updateTime: timestampFromDate(payment.updateTime),
      },
    },
  });
}

// What the books say of each payment, with its sums: what tests hold other ledgers against.
import { groupOf, textOf } from "../form.ts";
import { holdsMoney } from "./dispute.ts";
import type { Delivery, Ledger } from "./ledger.ts";
import type { Call } from "./operation.ts";
import type { Charge, Dispute, Metadata, Payment, Refund, StoredEvent } from "./records.ts";
import { capturedOf } from "./refund.ts";

/** Amounts are in the currency's smallest unit. */
export interface PaymentAccount {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Metadata;
  /** The charges that moved money: anything but 0 or 1 is a mistake somewhere. */
  readonly charges: number;
  /** What they took. */
  readonly charged: number;
  /** What refunds gave back, or are about to: without those that failed or were cancelled. */
  readonly refunded: number;
  /** What banks hold because of disputes. */
  readonly withdrawn: number;
  /** What is left: charged - refunded - withdrawn. */
  readonly net: number;
  readonly refunds: readonly RefundAccount[];
  readonly disputes: readonly Pick<Dispute, "id" | "status" | "amount" | "reason">[];
}

type RefundAccount = Pick<
  Refund,
  "id" | "status" | "amount" | "reason" | "failureReason" | "metadata"
>;

/** The payments whose metadata hold all that is asked for. */
export function accountsOf(ledger: Ledger, metadata: Metadata = {}): PaymentAccount[] {
  const charges = Map.groupBy(ledger.charges(), ({ paymentId }) => paymentId);
  const refunds = Map.groupBy(ledger.refunds(), ({ paymentId }) => paymentId);
  const disputes = Map.groupBy(ledger.disputes(), ({ paymentId }) => paymentId);
  return ledger
    .payments()
    .filter((payment) => holds(payment.metadata, metadata))
    .map((payment) =>
      accountOf(payment, {
        charges: charges.get(payment.id) ?? [],
        refunds: refunds.get(payment.id) ?? [],
        disputes: disputes.get(payment.id) ?? [],
      }),
    );
}

/** Whether all the wanted pairs are among the metadata. */
export const holds = (metadata: Metadata, wanted: Metadata): boolean =>
  Object.entries(wanted).every(([name, value]) => metadata[name] === value);

function accountOf(
  { id, status, amount, currency, metadata }: Payment,
  booked: { charges: Charge[]; refunds: Refund[]; disputes: Dispute[] },
): PaymentAccount {
  const taken = booked.charges.map(capturedOf).filter((captured) => captured > 0);
  const charged = sum(taken);
  const refunded = sum(booked.charges.map((charge) => charge.amountRefunded ?? 0));
  const withdrawn = sum(booked.disputes.filter(holdsMoney).map((dispute) => dispute.amount));
  return {
    id,
    status,
    amount,
    currency,
    metadata,
    charges: taken.length,
    charged,
    refunded,
    withdrawn,
    net: charged - refunded - withdrawn,
    refunds: booked.refunds.map(toRefundAccount),
    disputes: booked.disputes.map(toDisputeAccount),
  };
}

const toRefundAccount = (refund: Refund): RefundAccount => ({
  id: refund.id,
  status: refund.status,
  amount: refund.amount,
  reason: refund.reason,
  failureReason: refund.failureReason,
  metadata: refund.metadata,
});

const toDisputeAccount = ({ id, status, amount, reason }: Dispute) => ({
  id,
  status,
  amount,
  reason,
});

const sum = (amounts: readonly number[]): number =>
  amounts.reduce((total, amount) => total + amount, 0);

/** Of the payment that a call concerns, and what the call itself carries. */
export function metadataOfCall(ledger: Ledger, { id, parameters }: Call): Metadata {
  const found = ledger.refund(id) ?? ledger.dispute(id) ?? ledger.charge(id);
  const paymentId = found?.paymentId ?? textOf(parameters, "payment_intent") ?? id;
  const own = Object.entries(groupOf(parameters, "metadata")).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value]] : [],
  );
  return { ...ledger.payment(paymentId)?.metadata, ...Object.fromEntries(own) };
}

/** An event and what became of its webhook. */
export interface EventAccount {
  readonly id: string;
  readonly type: string;
  readonly delivery: Delivery;
  /** The PaymentIntent that it concerns. */
  readonly payment: string;
  /** Of the payment and of the object itself. */
  readonly metadata: Metadata;
}

export const accountOfEvent = (ledger: Ledger, event: StoredEvent): EventAccount => ({
  id: event.id,
  type: event.happening.type,
  delivery: ledger.delivery(event.id),
  payment: subjectOf(event).paymentId,
  metadata: metadataOfEvent(ledger, event),
});

export function metadataOfEvent(ledger: Ledger, event: StoredEvent): Metadata {
  const { paymentId, metadata } = subjectOf(event);
  return { ...ledger.payment(paymentId)?.metadata, ...metadata };
}

function subjectOf({ happening }: StoredEvent): { paymentId: string; metadata: Metadata } {
  if ("payment" in happening)
    return { paymentId: happening.payment.id, metadata: happening.payment.metadata };
  if ("charge" in happening) return happening.charge;
  return "refund" in happening ? happening.refund : happening.dispute;
}

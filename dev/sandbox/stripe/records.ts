// What the books of the sandbox's Stripe hold, and what a step changes in them.
import type { Decline, TestMethod } from "./test-method.ts";

/** Stripe's metadata, as given. */
export type Metadata = Readonly<Record<string, string>>;

export type PaymentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_action"
  | "processing"
  | "requires_capture"
  | "succeeded"
  | "canceled";

/** A test method as attached to one payment: Stripe gives it an ID of its own. */
export interface AttachedMethod extends TestMethod {
  readonly id: string;
}

export interface Payment {
  readonly id: string;
  readonly clientSecret: string;
  /** In the currency's smallest unit. */
  readonly amount: number;
  /** What came in, where that is not the amount: a part was captured, or the customer paid something else. */
  readonly amountReceived?: number;
  /** ISO 4217, lower case. */
  readonly currency: string;
  readonly status: PaymentStatus;
  /** Absent: the money is taken as soon as it can be. */
  readonly captureMethod?: "manual";
  readonly metadata: Metadata;
  readonly description: string | null;
  readonly receiptEmail: string | null;
  /** Null where the methods are given by name. */
  readonly automaticMethods: { readonly allowRedirects: "always" | "never" } | null;
  readonly methodTypes: readonly string[];
  readonly returnUrl: string | null;
  readonly method: AttachedMethod | null;
  readonly lastDecline:
    | (Decline & { readonly chargeId: string | null; readonly method: AttachedMethod })
    | null;
  readonly latestCharge: string | null;
  /** Seconds since 1970, as all times of Stripe. */
  readonly created: number;
  readonly canceledAt: number | null;
  readonly cancellationReason: string | null;
}

export interface Charge {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Metadata;
  readonly receiptEmail: string | null;
  readonly method: AttachedMethod;
  /** Undefined where the bank said yes. */
  readonly decline?: Decline;
  /** Of the amount: what was taken. Absent: all of it, or nothing if it was declined. */
  readonly captured?: number;
  /** What its refunds took back, without those that failed or were cancelled. Absent: nothing. */
  readonly amountRefunded?: number;
  /** True from its first dispute on, however that ends. */
  readonly disputed?: boolean;
  readonly created: number;
}

export type RefundStatus = "pending" | "requires_action" | "succeeded" | "failed" | "canceled";

export interface Refund {
  readonly id: string;
  readonly chargeId: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly reason: string | null;
  readonly failureReason: string | null;
  readonly metadata: Metadata;
  readonly created: number;
}

export type DisputeStatus =
  | "needs_response"
  | "under_review"
  | "won"
  | "lost"
  | "warning_needs_response"
  | "warning_under_review"
  | "warning_closed";

export interface Dispute {
  readonly id: string;
  readonly chargeId: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: DisputeStatus;
  readonly reason: string;
  /** When the bank took the money, and when it gave it back: seconds since 1970. */
  readonly withdrawnAt: number | null;
  readonly reinstatedAt: number | null;
  readonly evidence: Metadata;
  readonly submissions: number;
  readonly metadata: Metadata;
  readonly created: number;
}

export type PaymentEventType =
  | "payment_intent.created"
  | "payment_intent.requires_action"
  | "payment_intent.processing"
  | "payment_intent.amount_capturable_updated"
  | "payment_intent.payment_failed"
  | "payment_intent.succeeded"
  | "payment_intent.canceled";
export type ChargeEventType =
  | "charge.succeeded"
  | "charge.failed"
  | "charge.captured"
  | "charge.refunded";
export type RefundEventType = "refund.created" | "refund.updated" | "refund.failed";
export type DisputeEventType =
  | "charge.dispute.created"
  | "charge.dispute.updated"
  | "charge.dispute.closed"
  | "charge.dispute.funds_withdrawn"
  | "charge.dispute.funds_reinstated";

/** The object as it was when the event happened; rendered anew whenever it is shown. */
export type Happening =
  | { readonly type: PaymentEventType; readonly payment: Payment }
  | { readonly type: ChargeEventType; readonly charge: Charge }
  | { readonly type: RefundEventType; readonly refund: Refund }
  | { readonly type: DisputeEventType; readonly dispute: Dispute };

export interface StoredEvent {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly happening: Happening;
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
}

/** What a bank does some time later, by itself. */
export interface Due {
  readonly act: "pay_debit" | "refuse_debit" | "complete_refund" | "fail_refund";
  /** The payment or the refund. */
  readonly objectId: string;
}

/** What a step leads to: the records as they are afterwards, and what happened, in order. */
export interface Change {
  readonly payment?: Payment;
  readonly charge?: Charge;
  readonly refund?: Refund;
  readonly dispute?: Dispute;
  readonly happenings: readonly Happening[];
  readonly due?: Due;
}

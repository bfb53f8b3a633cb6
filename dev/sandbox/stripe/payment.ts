// The life of a PaymentIntent: pure steps from one state to the next, with the charge and the events of each.
import {
  type Decline,
  type Ending,
  type TestMethod,
  authenticationFailure,
  bankRefusal,
} from "./test-method.ts";

export type PaymentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_action"
  | "processing"
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
  /** ISO 4217, lower case. */
  readonly currency: string;
  readonly status: PaymentStatus;
  readonly metadata: Readonly<Record<string, string>>;
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
  readonly metadata: Readonly<Record<string, string>>;
  readonly receiptEmail: string | null;
  readonly method: AttachedMethod;
  /** Undefined where money moved. */
  readonly decline?: Decline;
  readonly created: number;
}

export type PaymentEventType =
  | "payment_intent.created"
  | "payment_intent.requires_action"
  | "payment_intent.processing"
  | "payment_intent.payment_failed"
  | "payment_intent.succeeded"
  | "payment_intent.canceled";
export type ChargeEventType = "charge.succeeded" | "charge.failed";

/** What a step leads to. `decline` is set where the caller is to be told of a refusal. */
export interface Step {
  readonly payment: Payment;
  readonly charge?: Charge;
  readonly events: readonly (PaymentEventType | ChargeEventType)[];
  readonly decline?: Decline;
}

/** What a step needs from outside: the time in seconds, and an ID for the charge that it may make. */
export interface Moment {
  readonly now: number;
  readonly chargeId: string;
}

export function confirm(payment: Payment, method: AttachedMethod, moment: Moment): Step {
  const attached = { ...payment, method, lastDecline: null };
  return end(attached, method, method.ending, moment);
}

/** The customer passed or failed 3-D Secure, or the bank paid or refused a debit. */
export function settle(payment: Payment, outcome: "succeed" | "fail", moment: Moment): Step {
  if (payment.method === null)
    throw new Error(`${payment.id} is ${payment.status} without a payment method`);
  if (outcome === "succeed") return end(payment, payment.method, { kind: "succeeds" }, moment);
  const decline = payment.status === "processing" ? bankRefusal : authenticationFailure;
  return end(payment, payment.method, { kind: "declined", decline }, moment);
}

export function cancel(payment: Payment, reason: string | null, now: number): Step {
  const canceled = { status: "canceled", canceledAt: now, cancellationReason: reason } as const;
  return { payment: { ...payment, ...canceled }, events: ["payment_intent.canceled"] };
}

function end(payment: Payment, method: AttachedMethod, ending: Ending, moment: Moment): Step {
  switch (ending.kind) {
    case "succeeds": {
      const charge = chargeOf(payment, method, moment);
      const paid = {
        ...payment,
        status: "succeeded",
        latestCharge: charge.id,
        lastDecline: null,
      } as const;
      return { payment: paid, charge, events: ["charge.succeeded", "payment_intent.succeeded"] };
    }
    case "declined":
      return decline(payment, method, ending.decline, moment);
    case "asks_customer":
      return {
        payment: { ...payment, status: "requires_action" },
        events: ["payment_intent.requires_action"],
      };
    case "asks_bank":
      return {
        payment: { ...payment, status: "processing" },
        events: ["payment_intent.processing"],
      };
    default:
      return ending satisfies never;
  }
}

/** A failed authentication never reached the bank, so it leaves no charge. */
function decline(payment: Payment, method: AttachedMethod, reason: Decline, moment: Moment): Step {
  const charged = reason !== authenticationFailure;
  const charge = { ...chargeOf(payment, method, moment), decline: reason };
  const refused: Payment = {
    ...payment,
    status: "requires_payment_method",
    method: null,
    latestCharge: charged ? charge.id : payment.latestCharge,
    lastDecline: { ...reason, chargeId: charged ? charge.id : null, method },
  };
  if (!charged)
    return { payment: refused, events: ["payment_intent.payment_failed"], decline: reason };
  return {
    payment: refused,
    charge,
    events: ["charge.failed", "payment_intent.payment_failed"],
    decline: reason,
  };
}

const chargeOf = (payment: Payment, method: AttachedMethod, moment: Moment): Charge => ({
  id: moment.chargeId,
  paymentId: payment.id,
  amount: payment.amount,
  currency: payment.currency,
  metadata: payment.metadata,
  receiptEmail: payment.receiptEmail,
  method,
  created: moment.now,
});

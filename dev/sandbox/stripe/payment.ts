// The life of a PaymentIntent: pure steps from one state to the next, with the charge and the events of each.
import type { AttachedMethod, Change, Charge, Due, Payment } from "./records.ts";
import { type Decline, type Ending, authenticationFailure, bankRefusal } from "./test-method.ts";

/** A change of a payment. `decline` is set where the caller is to be told of a refusal. */
export interface Step extends Change {
  readonly payment: Payment;
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

/** Money that was reserved and not taken is free again. */
export function cancel(payment: Payment, reason: string | null, now: number): Step {
  const canceled = {
    ...payment,
    status: "canceled",
    canceledAt: now,
    cancellationReason: reason,
  } as const;
  return {
    payment: canceled,
    happenings: [{ type: "payment_intent.canceled", payment: canceled }],
  };
}

/** Takes what was reserved, or a part of it: what is left is free again. */
export function capture(payment: Payment, reserved: Charge, amount: number): Step {
  const charge = { ...reserved, captured: amount };
  const paid = { ...payment, status: "succeeded", amountReceived: amount } as const;
  return {
    payment: paid,
    charge,
    happenings: [
      { type: "charge.captured", charge },
      { type: "payment_intent.succeeded", payment: paid },
    ],
  };
}

function end(payment: Payment, method: AttachedMethod, ending: Ending, moment: Moment): Step {
  switch (ending.kind) {
    case "succeeds":
      return payment.captureMethod === "manual"
        ? reserve(payment, method, moment)
        : take(payment, method, moment);
    case "declined":
      return decline(payment, method, ending.decline, moment);
    case "asks_customer": {
      const asking = { ...payment, status: "requires_action" } as const;
      return {
        payment: asking,
        happenings: [{ type: "payment_intent.requires_action", payment: asking }],
      };
    }
    case "asks_bank": {
      const processing = { ...payment, status: "processing" } as const;
      const step: Step = {
        payment: processing,
        happenings: [{ type: "payment_intent.processing", payment: processing }],
      };
      return ending.later === undefined
        ? step
        : { ...step, due: { act: ending.later, objectId: payment.id } satisfies Due };
    }
    default:
      return ending satisfies never;
  }
}

function take(payment: Payment, method: AttachedMethod, moment: Moment): Step {
  const charge = chargeOf(payment, method, moment);
  const latestCharge = charge.id;
  const paid = { ...payment, status: "succeeded", latestCharge, lastDecline: null } as const;
  return {
    payment: paid,
    charge,
    happenings: [
      { type: "charge.succeeded", charge },
      { type: "payment_intent.succeeded", payment: paid },
    ],
  };
}

function reserve(payment: Payment, method: AttachedMethod, moment: Moment): Step {
  const charge = { ...chargeOf(payment, method, moment), captured: 0 };
  const latestCharge = charge.id;
  const held = { ...payment, status: "requires_capture", latestCharge, lastDecline: null } as const;
  return {
    payment: held,
    charge,
    happenings: [
      { type: "charge.succeeded", charge },
      { type: "payment_intent.amount_capturable_updated", payment: held },
    ],
  };
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
  const failed = { type: "payment_intent.payment_failed", payment: refused } as const;
  if (!charged) return { payment: refused, happenings: [failed], decline: reason };
  return {
    payment: refused,
    charge,
    happenings: [{ type: "charge.failed", charge }, failed],
    decline: reason,
  };
}

const chargeOf = (payment: Payment, method: AttachedMethod, moment: Moment): Charge => ({
  id: moment.chargeId,
  paymentId: payment.id,
  amount: payment.amountReceived ?? payment.amount,
  currency: payment.currency,
  metadata: payment.metadata,
  receiptEmail: payment.receiptEmail,
  method,
  created: moment.now,
});

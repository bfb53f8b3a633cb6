// Reads and checks the parameters of refunds as Stripe does.
import type { Stripe } from "stripe";
import { type Form, textOf } from "../form.ts";
import { readChoice, readMetadata, readWhole, refuseUnknown } from "./parameters.ts";
import type { Metadata } from "./records.ts";
import { badParameter } from "./refusal.ts";

const parameters = [
  "payment_intent",
  "charge",
  "amount",
  "reason",
  "metadata",
] as const satisfies readonly (keyof Stripe.RefundCreateParams)[];
const reasons = [
  "duplicate",
  "fraudulent",
  "requested_by_customer",
] as const satisfies readonly Stripe.RefundCreateParams.Reason[];

export interface RefundParameters {
  readonly paymentId?: string;
  readonly chargeId?: string;
  /** Absent: all that is left. */
  readonly amount?: number;
  readonly reason: string | null;
  readonly metadata: Metadata;
}

export function readRefund(form: Form): RefundParameters {
  refuseUnknown(form, parameters);
  const paymentId = textOf(form, "payment_intent");
  const chargeId = textOf(form, "charge");
  if (paymentId === undefined && chargeId === undefined) {
    throw badParameter(
      "charge",
      "parameter_missing",
      "One of the following params should be provided for this request: payment_intent or charge.",
    );
  }
  const amount = readWhole(form, "amount");
  return {
    ...(paymentId === undefined ? {} : { paymentId }),
    ...(chargeId === undefined ? {} : { chargeId }),
    ...(amount === undefined ? {} : { amount }),
    reason: readChoice(form, "reason", reasons),
    metadata: readMetadata(form),
  };
}

export function readRefundUpdate(form: Form, before: Metadata): Metadata {
  refuseUnknown(form, ["metadata"]);
  return readMetadata(form, before);
}

// A charge as Stripe's API shows it.
import type { Stripe } from "stripe";
import type { Charge } from "./records.ts";
import { capturedOf } from "./refund.ts";
import { noBillingDetails, toMethodDetails } from "./to-payment-method.ts";

export function toCharge(charge: Charge): Stripe.Charge {
  const paid = charge.decline === undefined;
  const captured = capturedOf(charge);
  const refunded = charge.amountRefunded ?? 0;
  return {
    id: charge.id,
    object: "charge",
    amount: charge.amount,
    amount_captured: captured,
    amount_refunded: refunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: noBillingDetails,
    calculated_statement_descriptor: null,
    captured: captured > 0,
    created: charge.created,
    currency: charge.currency,
    customer: null,
    description: null,
    disputed: charge.disputed ?? false,
    failure_balance_transaction: null,
    failure_code: charge.decline?.code ?? null,
    failure_message: charge.decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: { ...charge.metadata },
    on_behalf_of: null,
    outcome: outcomeOf(charge),
    paid,
    payment_intent: charge.paymentId,
    payment_method: charge.method.id,
    payment_method_details: toMethodDetails(charge.method, charge.amount),
    receipt_email: charge.receiptEmail,
    receipt_number: null,
    receipt_url: null,
    refunded: captured > 0 && refunded === captured,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: paid ? "succeeded" : "failed",
    transfer_data: null,
    transfer_group: null,
  } satisfies Stripe.Charge;
}

const outcomeOf = (charge: Charge) =>
  ({
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: charge.decline === undefined ? "approved_by_network" : "declined_by_network",
    reason: charge.decline?.declineCode ?? null,
    risk_level: "normal",
    seller_message: charge.decline?.message ?? "Payment complete.",
    type: charge.decline === undefined ? "authorized" : "issuer_declined",
  }) satisfies Stripe.Charge.Outcome;

// A dispute as Stripe's API shows it, with the movements of money that it led to.
import type { Stripe } from "stripe";
import { holdsMoney } from "./dispute.ts";
import type { Dispute } from "./records.ts";

/** What Stripe keeps for a dispute, in the smallest unit of any currency. */
const FEE = 1500;
/** The time to answer a bank: seconds. */
const RESPONSE_S = 7 * 24 * 60 * 60;

const noEvidence = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
} satisfies Stripe.Dispute.Evidence;

export function toDispute(dispute: Dispute): Stripe.Dispute {
  return {
    id: dispute.id,
    object: "dispute",
    amount: dispute.amount,
    balance_transactions: movementsOf(dispute),
    charge: dispute.chargeId,
    created: dispute.created,
    currency: dispute.currency,
    enhanced_eligibility_types: [],
    evidence: { ...noEvidence, ...dispute.evidence },
    evidence_details: {
      due_by: dispute.created + RESPONSE_S,
      enhanced_eligibility: {},
      has_evidence: Object.keys(dispute.evidence).length > 0,
      past_due: false,
      submission_count: dispute.submissions,
      submission_method: dispute.submissions > 0 ? "manual" : "not_submitted",
    },
    intended_submission_method: null,
    is_charge_refundable: !holdsMoney(dispute),
    livemode: false,
    metadata: { ...dispute.metadata },
    payment_intent: dispute.paymentId,
    reason: dispute.reason,
    status: dispute.status,
  } satisfies Stripe.Dispute;
}

function movementsOf(dispute: Dispute): Stripe.BalanceTransaction[] {
  const { withdrawnAt, reinstatedAt } = dispute;
  return [
    ...(withdrawnAt === null ? [] : [movementOf(dispute, -dispute.amount, withdrawnAt)]),
    ...(reinstatedAt === null ? [] : [movementOf(dispute, dispute.amount, reinstatedAt)]),
  ];
}

function movementOf(dispute: Dispute, amount: number, created: number): Stripe.BalanceTransaction {
  const withdrawal = amount < 0;
  const fee = withdrawal ? FEE : 0;
  return {
    id: dispute.id.replace("du_", withdrawal ? "txn_1" : "txn_2"),
    object: "balance_transaction",
    amount,
    available_on: created,
    balance_type: "payments",
    created,
    currency: dispute.currency,
    description: withdrawal ? "Chargeback withdrawal" : "Chargeback reversal",
    exchange_rate: null,
    fee,
    fee_details: [],
    net: amount - fee,
    reporting_category: withdrawal ? "dispute" : "dispute_reversal",
    source: dispute.id,
    status: "available",
    type: "adjustment",
  } satisfies Stripe.BalanceTransaction;
}

// A payment method as Stripe's API shows it.
import type { Stripe } from "stripe";
import type { AttachedMethod } from "./records.ts";

export const noBillingDetails = {
  address: null,
  email: null,
  name: null,
  phone: null,
  tax_id: null,
} as const;

/** Test cards never expire in our time. */
const EXPIRY = { exp_month: 12, exp_year: 2050 } as const;

export function toPaymentMethod(method: AttachedMethod, created: number): Stripe.PaymentMethod {
  const head = {
    id: method.id,
    object: "payment_method",
    billing_details: noBillingDetails,
    created,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
  } as const;
  if (method.type === "us_bank_account") {
    return {
      ...head,
      type: "us_bank_account",
      us_bank_account: bankAccountOf(method),
    } satisfies Stripe.PaymentMethod;
  }
  return { ...head, type: "card", card: cardOf(method) } satisfies Stripe.PaymentMethod;
}

const cardOf = (method: AttachedMethod) =>
  ({
    brand: method.brand,
    checks: null,
    country: "US",
    display_brand: method.brand,
    ...EXPIRY,
    funding: "credit",
    generated_from: null,
    last4: method.last4,
    networks: { available: [method.brand], preferred: null },
    regulated_status: "unregulated",
    three_d_secure_usage: { supported: true },
    wallet: null,
  }) satisfies Stripe.PaymentMethod.Card;

const bankAccountOf = (method: AttachedMethod) =>
  ({
    account_holder_type: "individual",
    account_type: "checking",
    bank_name: method.brand,
    financial_connections_account: null,
    fingerprint: null,
    last4: method.last4,
    networks: null,
    routing_number: "110000000",
    status_details: {},
  }) satisfies Stripe.PaymentMethod.UsBankAccount;

/** How a charge shows the method that paid it. */
export function toMethodDetails(
  method: AttachedMethod,
  amount: number,
): Stripe.Charge.PaymentMethodDetails {
  if (method.type === "us_bank_account") {
    const { account_holder_type, account_type, bank_name, fingerprint, last4, routing_number } =
      bankAccountOf(method);
    const payment_reference = null;
    return {
      type: "us_bank_account",
      us_bank_account: {
        account_holder_type,
        account_type,
        bank_name,
        fingerprint,
        last4,
        payment_reference,
        routing_number,
      },
    };
  }
  return { type: "card", card: chargedCardOf(method, amount) };
}

const chargedCardOf = (method: AttachedMethod, amount: number) =>
  ({
    amount_authorized: amount,
    authorization_code: null,
    brand: method.brand,
    checks: null,
    country: "US",
    electronic_commerce_indicator: null,
    ...EXPIRY,
    funding: "credit",
    installments: null,
    last4: method.last4,
    mandate: null,
    network: method.brand,
    network_transaction_id: null,
    regulated_status: "unregulated",
    three_d_secure: null,
    transaction_link_id: null,
    wallet: null,
  }) satisfies Stripe.Charge.PaymentMethodDetails.Card;

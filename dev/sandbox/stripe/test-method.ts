// The payment methods of Stripe's test mode and how a payment with each of them ends.
// https://docs.stripe.com/testing
import type { Stripe } from "stripe";

export interface Decline {
  readonly code: Stripe.PaymentIntent.LastPaymentError.Code;
  readonly declineCode?: string;
  readonly message: string;
}

/** How a confirmation with the method ends. */
export type Ending =
  | { readonly kind: "succeeds" }
  | { readonly kind: "declined"; readonly decline: Decline }
  /** The customer must authenticate (3-D Secure). */
  | { readonly kind: "asks_customer" }
  /** A bank debit: the bank decides days later; without `later` only when it is told to. */
  | { readonly kind: "asks_bank"; readonly later?: "pay_debit" | "refuse_debit" };

export interface TestMethod {
  readonly type: "card" | "us_bank_account";
  readonly brand: string;
  readonly last4: string;
  readonly ending: Ending;
  /** How its refunds go; absent: they succeed at once. */
  readonly refunds?: "succeed_later" | "fail_later";
  /** What its holder does as soon as the money is taken. */
  readonly disputes?: { readonly reason: string; readonly inquiry: boolean };
}

const visa = (last4: string, ending: Ending): TestMethod => ({
  type: "card",
  brand: "visa",
  last4,
  ending,
});

const declined = (declineCode: string, message = "Your card was declined."): Ending => ({
  kind: "declined",
  decline: { code: "card_declined", declineCode, message },
});

const insufficientFunds = declined("insufficient_funds", "Your card has insufficient funds.");

const bankAccount = (last4: string, later?: "pay_debit" | "refuse_debit"): TestMethod => ({
  type: "us_bank_account",
  brand: "STRIPE TEST BANK",
  last4,
  ending: { kind: "asks_bank", ...(later === undefined ? {} : { later }) },
});

const disputed = (last4: string, reason: string, inquiry = false): TestMethod => ({
  ...visa(last4, { kind: "succeeds" }),
  disputes: { reason, inquiry },
});

const methods: Readonly<Record<string, TestMethod>> = {
  pm_card_visa: visa("4242", { kind: "succeeds" }),
  pm_card_mastercard: { ...visa("4444", { kind: "succeeds" }), brand: "mastercard" },
  pm_card_amex: { ...visa("8431", { kind: "succeeds" }), brand: "amex" },
  pm_card_chargeDeclined: visa("0002", declined("generic_decline")),
  pm_card_visa_chargeDeclined: visa("0002", declined("generic_decline")),
  pm_card_chargeDeclinedInsufficientFunds: visa("9995", insufficientFunds),
  pm_card_visa_chargeDeclinedInsufficientFunds: visa("9995", insufficientFunds),
  pm_card_chargeDeclinedLostCard: visa("9987", declined("lost_card")),
  pm_card_chargeDeclinedStolenCard: visa("9979", declined("stolen_card")),
  pm_card_chargeDeclinedFraudulent: visa("0019", declined("fraudulent")),
  pm_card_chargeDeclinedIncorrectCvc: visa("0127", {
    kind: "declined",
    decline: { code: "incorrect_cvc", message: "Your card's security code is incorrect." },
  }),
  pm_card_chargeDeclinedExpiredCard: visa("0069", {
    kind: "declined",
    decline: { code: "expired_card", message: "Your card has expired." },
  }),
  pm_card_chargeDeclinedProcessingError: visa("0119", {
    kind: "declined",
    decline: {
      code: "processing_error",
      message: "An error occurred while processing your card. Try again in a little bit.",
    },
  }),
  pm_card_threeDSecure2Required: visa("3220", { kind: "asks_customer" }),
  pm_card_authenticationRequired: visa("3184", { kind: "asks_customer" }),
  pm_card_threeDSecureRequired: visa("3063", { kind: "asks_customer" }),
  pm_card_pendingRefund: { ...visa("7726", { kind: "succeeds" }), refunds: "succeed_later" },
  pm_card_refundFail: { ...visa("5126", { kind: "succeeds" }), refunds: "fail_later" },
  pm_card_createDispute: disputed("0259", "fraudulent"),
  pm_card_createDisputeProductNotReceived: disputed("2685", "product_not_received"),
  pm_card_createDisputeInquiry: disputed("1976", "general", true),
  pm_usBankAccount_processing: bankAccount("2227"),
  pm_usBankAccount_success: bankAccount("6789", "pay_debit"),
  pm_usBankAccount_insufficientFunds: bankAccount("2222", "refuse_debit"),
  pm_usBankAccount_debitNotAuthorized: bankAccount("1113", "refuse_debit"),
};

export const testMethodNames: readonly string[] = Object.keys(methods);

/** The test method of that name, or undefined. */
export const findTestMethod = (name: string): TestMethod | undefined =>
  Object.hasOwn(methods, name) ? methods[name] : undefined;

/** The answer of a customer who failed 3-D Secure. */
export const authenticationFailure: Decline = {
  code: "payment_intent_authentication_failure",
  message:
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
};

/** The answer of a bank that refused a debit. */
export const bankRefusal: Decline = {
  code: "payment_intent_payment_attempt_failed",
  message: "The payment failed: the customer's bank account could not be debited.",
};

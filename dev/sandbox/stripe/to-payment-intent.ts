// A payment as Stripe's API shows it. `satisfies` makes an SDK upgrade that changes the shape break the build.
import type { Stripe } from "stripe";
import type { Payment } from "./records.ts";
import { toPaymentMethod } from "./to-payment-method.ts";

/** `origin`: where the sandbox listens, for the page on which a customer authenticates. */
export function toPaymentIntent(payment: Payment, origin: string): Stripe.PaymentIntent {
  return {
    id: payment.id,
    object: "payment_intent",
    allowed_payment_method_types: null,
    amount: payment.amount,
    amount_capturable: payment.status === "requires_capture" ? payment.amount : 0,
    amount_details: { tip: {} },
    amount_received:
      payment.status === "succeeded" ? (payment.amountReceived ?? payment.amount) : 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: automaticMethodsOf(payment),
    canceled_at: payment.canceledAt,
    cancellation_reason: payment.cancellationReason,
    capture_method: payment.captureMethod ?? "automatic_async",
    client_secret: payment.clientSecret,
    confirmation_method: "automatic",
    created: payment.created,
    currency: payment.currency,
    customer: null,
    customer_account: null,
    description: payment.description,
    excluded_payment_method_types: null,
    last_payment_error: lastErrorOf(payment),
    latest_charge: payment.latestCharge,
    livemode: false,
    managed_payments: null,
    metadata: { ...payment.metadata },
    next_action: nextActionOf(payment, origin),
    on_behalf_of: null,
    payment_method: payment.method?.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: [...payment.methodTypes],
    payment_record: null,
    processing: payment.status === "processing" ? { type: "card" } : null,
    receipt_email: payment.receiptEmail,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: payment.status,
    transfer_data: null,
    transfer_group: null,
  } satisfies Stripe.PaymentIntent;
}

/** The part of an error that tells of a decline: in `last_payment_error` and in the body of a 402. */
export function toCardError(payment: Payment): Stripe.PaymentIntent.LastPaymentError | null {
  const decline = payment.lastDecline;
  if (decline === null) return null;
  return {
    ...(decline.chargeId === null ? {} : { charge: decline.chargeId }),
    ...(decline.code === undefined ? {} : { code: decline.code }),
    ...(decline.declineCode === undefined ? {} : { decline_code: decline.declineCode }),
    doc_url: `https://stripe.com/docs/error-codes/${decline.code.replaceAll("_", "-")}`,
    message: decline.message,
    payment_method: toPaymentMethod(decline.method, payment.created),
    type:
      decline.code === "payment_intent_authentication_failure"
        ? "invalid_request_error"
        : "card_error",
  };
}

const lastErrorOf = (payment: Payment) =>
  payment.status === "requires_payment_method" ? toCardError(payment) : null;

const automaticMethodsOf = (
  payment: Payment,
): Stripe.PaymentIntent.AutomaticPaymentMethods | null =>
  payment.automaticMethods && {
    enabled: true,
    allow_redirects: payment.automaticMethods.allowRedirects,
  };

function nextActionOf(payment: Payment, origin: string): Stripe.PaymentIntent.NextAction | null {
  if (payment.status !== "requires_action") return null;
  if (payment.returnUrl === null) {
    return {
      type: "use_stripe_sdk",
      use_stripe_sdk: { type: "three_d_secure_redirect", stripe_js: threeDsPage(payment, origin) },
    };
  }
  return {
    type: "redirect_to_url",
    redirect_to_url: { return_url: payment.returnUrl, url: threeDsPage(payment, origin) },
  };
}

const threeDsPage = (payment: Payment, origin: string): string => `${origin}/_/3ds/${payment.id}`;

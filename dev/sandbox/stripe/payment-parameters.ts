// Reads and checks the parameters of PaymentIntents as Stripe does.
import type { Stripe } from "stripe";
import { type Form, groupOf, listOf, textOf } from "../form.ts";
import { stripeId } from "../id.ts";
import { readChoice, readMetadata, readWhole, refuseUnknown } from "./parameters.ts";
import type { AttachedMethod, Payment } from "./records.ts";
import { badParameter, missing, StripeRefusal } from "./refusal.ts";
import { findTestMethod } from "./test-method.ts";

const currencies = new Set(Intl.supportedValuesOf("currency").map((code) => code.toLowerCase()));

const createParameters = [
  "amount",
  "currency",
  "automatic_payment_methods",
  "allowed_payment_method_types",
  "payment_method",
  "confirm",
  "capture_method",
  "return_url",
  "metadata",
  "description",
  "receipt_email",
  "expand",
] as const satisfies readonly (keyof Stripe.PaymentIntentCreateParams)[];
/** The parameters that may change only while no money was taken. */
const moneyParameters = [
  "amount",
  "currency",
  "payment_method",
] as const satisfies readonly (keyof Stripe.PaymentIntentUpdateParams)[];
const otherParameters = [
  "metadata",
  "description",
  "receipt_email",
  "expand",
] as const satisfies readonly (keyof Stripe.PaymentIntentUpdateParams)[];
const confirmParameters = [
  "payment_method",
  "return_url",
  "expand",
] as const satisfies readonly (keyof Stripe.PaymentIntentConfirmParams)[];
const captureParameters = [
  "amount_to_capture",
  "expand",
] as const satisfies readonly (keyof Stripe.PaymentIntentCaptureParams)[];
const cancelParameters = [
  "cancellation_reason",
  "expand",
] as const satisfies readonly (keyof Stripe.PaymentIntentCancelParams)[];
const cancellationReasons = [
  "abandoned",
  "duplicate",
  "fraudulent",
  "requested_by_customer",
] as const satisfies readonly Stripe.PaymentIntentCancelParams.CancellationReason[];

/** The customer's browser, in which any redirect ends. */
const BROWSER_URL = "https://example.com/back";

export interface CreateRequest {
  /** The payment before any confirmation. */
  readonly payment: Payment;
  /** The method with which to confirm at once. */
  readonly confirmWith: AttachedMethod | undefined;
}

export function readCreate(form: Form, now: number): CreateRequest {
  refuseUnknown(form, createParameters);
  const id = stripeId("pi");
  const method = readMethod(form);
  const manual = readChoice(form, "capture_method", ["automatic", "automatic_async", "manual"]);
  const draft = {
    id,
    clientSecret: `${id}_${stripeId("secret", 25)}`,
    amount: required("amount", readWhole(form, "amount")),
    currency: required("currency", readCurrency(form)),
    status: method === undefined ? "requires_payment_method" : "requires_confirmation",
    ...(manual === "manual" ? { captureMethod: "manual" as const } : {}),
    metadata: readMetadata(form),
    description: textOf(form, "description") ?? null,
    receiptEmail: textOf(form, "receipt_email") ?? null,
    ...readMethodTypes(form),
    returnUrl: textOf(form, "return_url") ?? null,
    method: method ?? null,
    lastDecline: null,
    latestCharge: null,
    created: now,
    canceledAt: null,
    cancellationReason: null,
  } satisfies Payment;
  if (textOf(form, "confirm") !== "true") return { payment: draft, confirmWith: undefined };
  return { payment: draft, confirmWith: methodToConfirm(draft, method) };
}

/** The payment with its return URL, and the method to confirm it with. */
export function readConfirm(
  form: Form,
  payment: Payment,
): { payment: Payment; method: AttachedMethod } {
  refuseUnknown(form, confirmParameters);
  const withUrl = { ...payment, returnUrl: textOf(form, "return_url") ?? payment.returnUrl };
  return {
    payment: withUrl,
    method: methodToConfirm(withUrl, readMethod(form) ?? payment.method ?? undefined),
  };
}

/** What a customer pays where that is not what was asked for. */
export function readPay(form: Form, before: Payment): { payment: Payment; method: AttachedMethod } {
  refuseUnknown(form, ["payment_method", "amount", "currency", "metadata"]);
  const method = required("payment_method", readMethod(form));
  const amount = readWhole(form, "amount");
  const payment = {
    ...before,
    ...(amount === undefined ? {} : { amountReceived: amount }),
    currency: readCurrency(form) ?? before.currency,
    metadata: readMetadata(form, before.metadata),
    returnUrl: before.returnUrl ?? BROWSER_URL,
  };
  return { payment, method };
}

/** The payment with its changes, and the first of them that is about money. */
export function readUpdate(
  form: Form,
  before: Payment,
): { payment: Payment; money: string | undefined } {
  refuseUnknown(form, [...moneyParameters, ...otherParameters]);
  const method = readMethod(form);
  const attached = method && ({ method, status: "requires_confirmation" } as const);
  const payment = {
    ...before,
    amount: readWhole(form, "amount") ?? before.amount,
    currency: readCurrency(form) ?? before.currency,
    metadata: readMetadata(form, before.metadata),
    description: textOf(form, "description") ?? before.description,
    receiptEmail: textOf(form, "receipt_email") ?? before.receiptEmail,
    ...attached,
  };
  return { payment, money: moneyParameters.find((name) => form[name] !== undefined) };
}

export function readCapture(form: Form, payment: Payment): number {
  refuseUnknown(form, captureParameters);
  const amount = readWhole(form, "amount_to_capture") ?? payment.amount;
  if (amount <= payment.amount) return amount;
  throw badParameter(
    "amount_to_capture",
    "amount_too_large",
    `The amount to capture cannot be greater than the amount that can be captured (${payment.amount}).`,
  );
}

export function readCancellationReason(form: Form): string | null {
  refuseUnknown(form, cancelParameters);
  return readChoice(form, "cancellation_reason", cancellationReasons);
}

function methodToConfirm(payment: Payment, method: AttachedMethod | undefined): AttachedMethod {
  if (method === undefined) {
    throw new StripeRefusal(400, {
      type: "invalid_request_error",
      code: "payment_intent_unexpected_state",
      message: "You cannot confirm this PaymentIntent because it's missing a payment method.",
    });
  }
  if (payment.automaticMethods?.allowRedirects === "always" && payment.returnUrl === null) {
    throw badParameter(
      "return_url",
      "parameter_missing",
      "This PaymentIntent may redirect the customer, so you must provide a `return_url`. To keep the customer on your page, set `automatic_payment_methods[allow_redirects]` to `never`.",
    );
  }
  return method;
}

function readMethod(form: Form): AttachedMethod | undefined {
  const name = textOf(form, "payment_method");
  if (name === undefined) return undefined;
  const found = findTestMethod(name);
  if (found === undefined) throw missing(400, "PaymentMethod", name, "payment_method");
  return { ...found, id: stripeId("pm") };
}

function readCurrency(form: Form): string | undefined {
  const text = textOf(form, "currency")?.toLowerCase();
  if (text === undefined || currencies.has(text)) return text;
  throw badParameter("currency", "parameter_invalid", `Invalid currency: ${text}.`);
}

function required<T>(name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw badParameter(name, "parameter_missing", `Missing required param: ${name}.`);
}

/** Without a word on methods they are automatic, as in every API version since 2023-08-16. */
function readMethodTypes(form: Form): Pick<Payment, "automaticMethods" | "methodTypes"> {
  const types = listOf(form, "allowed_payment_method_types");
  if (types !== undefined) return { automaticMethods: null, methodTypes: types };
  const automatic = groupOf(form, "automatic_payment_methods");
  if (textOf(automatic, "enabled") === "false")
    return { automaticMethods: null, methodTypes: ["card"] };
  const allowRedirects = textOf(automatic, "allow_redirects") === "never" ? "never" : "always";
  return { automaticMethods: { allowRedirects }, methodTypes: ["card", "us_bank_account"] };
}

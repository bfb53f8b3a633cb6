// Reads and checks the parameters of PaymentIntents as Stripe does. What the sandbox does not know, it refuses.
import { type Form, groupOf, listOf, textOf } from "../form.ts";
import { stripeId } from "../id.ts";
import type { AttachedMethod, Payment } from "./payment.ts";
import { badParameter, missing, StripeRefusal } from "./refusal.ts";
import { findTestMethod } from "./test-method.ts";

/** https://docs.stripe.com/api/payment_intents/create#create_payment_intent-amount */
const MAX_AMOUNT = 99_999_999;
/** https://docs.stripe.com/api/metadata */
const MAX_METADATA_KEYS = 50;
const MAX_METADATA_KEY_CHARACTERS = 40;
const MAX_METADATA_VALUE_CHARACTERS = 500;

const currencies = new Set(Intl.supportedValuesOf("currency").map((code) => code.toLowerCase()));

const createParameters = [
  "amount",
  "currency",
  "automatic_payment_methods",
  "payment_method_types",
  "payment_method",
  "confirm",
  "return_url",
  "metadata",
  "description",
  "receipt_email",
];
const cancellationReasons = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"];

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
  const draft = {
    id,
    clientSecret: `${id}_${stripeId("secret", 25)}`,
    amount: readAmount(form),
    currency: readCurrency(form),
    status: method === undefined ? "requires_payment_method" : "requires_confirmation",
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
  refuseUnknown(form, ["payment_method", "return_url"]);
  const withUrl = { ...payment, returnUrl: textOf(form, "return_url") ?? payment.returnUrl };
  return {
    payment: withUrl,
    method: methodToConfirm(withUrl, readMethod(form) ?? payment.method ?? undefined),
  };
}

export function readCancellationReason(form: Form): string | null {
  refuseUnknown(form, ["cancellation_reason"]);
  const reason = textOf(form, "cancellation_reason") ?? null;
  if (reason === null || cancellationReasons.includes(reason)) return reason;
  throw badParameter(
    "cancellation_reason",
    "parameter_invalid",
    `Invalid cancellation_reason: must be one of ${cancellationReasons.join(", ")}`,
  );
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

function readAmount(form: Form): number {
  const text = textOf(form, "amount");
  if (text === undefined)
    throw badParameter("amount", "parameter_missing", "Missing required param: amount.");
  if (!/^-?\d+$/.test(text))
    throw badParameter("amount", "parameter_invalid_integer", `Invalid integer: ${text}`);
  const amount = Number(text);
  if (amount < 1) {
    throw badParameter(
      "amount",
      "parameter_invalid_integer",
      "This value must be greater than or equal to 1.",
    );
  }
  if (amount > MAX_AMOUNT)
    throw badParameter("amount", "amount_too_large", `Amount must be no more than ${MAX_AMOUNT}`);
  return amount;
}

function readCurrency(form: Form): string {
  const text = textOf(form, "currency");
  if (text === undefined)
    throw badParameter("currency", "parameter_missing", "Missing required param: currency.");
  if (!currencies.has(text.toLowerCase())) {
    throw badParameter("currency", "parameter_invalid", `Invalid currency: ${text}.`);
  }
  return text.toLowerCase();
}

function readMetadata(form: Form): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(groupOf(form, "metadata"))) {
    if (typeof value !== "string")
      throw badParameter("metadata", "parameter_invalid", "Metadata values must be strings.");
    if (key.length > MAX_METADATA_KEY_CHARACTERS || value.length > MAX_METADATA_VALUE_CHARACTERS) {
      throw badParameter(`metadata[${key}]`, "parameter_invalid", `Metadata ${key} is too long.`);
    }
    if (value !== "") metadata[key] = value;
  }
  if (Object.keys(metadata).length > MAX_METADATA_KEYS) {
    throw badParameter(
      "metadata",
      "parameter_invalid",
      `You cannot have more than ${MAX_METADATA_KEYS} metadata keys.`,
    );
  }
  return metadata;
}

/** Without a word on methods they are automatic, as in every API version since 2023-08-16. */
function readMethodTypes(form: Form): Pick<Payment, "automaticMethods" | "methodTypes"> {
  const types = listOf(form, "payment_method_types");
  if (types !== undefined) return { automaticMethods: null, methodTypes: types };
  const automatic = groupOf(form, "automatic_payment_methods");
  if (textOf(automatic, "enabled") === "false")
    return { automaticMethods: null, methodTypes: ["card"] };
  const allowRedirects = textOf(automatic, "allow_redirects") === "never" ? "never" : "always";
  return { automaticMethods: { allowRedirects }, methodTypes: ["card", "us_bank_account"] };
}

function refuseUnknown(form: Form, known: readonly string[]): void {
  const unknown = Object.keys(form).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw badParameter(unknown, "parameter_unknown", `Received unknown parameter: ${unknown}`);
}

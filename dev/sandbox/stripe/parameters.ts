// Reads and checks parameters as Stripe does. What the sandbox does not know, it refuses.
import { type Form, groupOf, listOf, textOf } from "../form.ts";
import type { Metadata } from "./records.ts";
import { badParameter } from "./refusal.ts";

/** https://docs.stripe.com/api/payment_intents/create#create_payment_intent-amount */
const MAX_AMOUNT = 99_999_999;
/** https://docs.stripe.com/api/metadata */
const MAX_METADATA_KEYS = 50;
const MAX_METADATA_KEY_CHARACTERS = 40;
const MAX_METADATA_VALUE_CHARACTERS = 500;

/** A whole number from 1; undefined where it was not given. */
export function readWhole(form: Form, name: string): number | undefined {
  const text = textOf(form, name);
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text))
    throw badParameter(name, "parameter_invalid_integer", `Invalid integer: ${text}`);
  const amount = Number(text);
  if (amount < 1) {
    throw badParameter(
      name,
      "parameter_invalid_integer",
      "This value must be greater than or equal to 1.",
    );
  }
  if (amount > MAX_AMOUNT)
    throw badParameter(name, "amount_too_large", `Amount must be no more than ${MAX_AMOUNT}`);
  return amount;
}

/** The metadata after a change: a name given with "" is taken away, all of them by `metadata=""`. */
export function readMetadata(form: Form, before: Metadata = {}): Record<string, string> {
  if (form["metadata"] === "") return {};
  const metadata: Record<string, string> = { ...before };
  for (const [key, value] of Object.entries(groupOf(form, "metadata"))) {
    if (typeof value !== "string")
      throw badParameter("metadata", "parameter_invalid", "Metadata values must be strings.");
    if (key.length > MAX_METADATA_KEY_CHARACTERS || value.length > MAX_METADATA_VALUE_CHARACTERS)
      throw badParameter(`metadata[${key}]`, "parameter_invalid", `Metadata ${key} is too long.`);
    if (value === "") delete metadata[key];
    else metadata[key] = value;
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

/** What is to be shown as an object in place of its ID. */
export function readExpand(form: Form, expandable: readonly string[]): readonly string[] {
  const names = listOf(form, "expand") ?? [];
  const unknown = names.find((name) => !expandable.includes(name));
  if (unknown === undefined) return names;
  throw badParameter("expand", "parameter_invalid", `The sandbox cannot expand ${unknown}.`);
}

export function readChoice(form: Form, name: string, choices: readonly string[]): string | null {
  const choice = textOf(form, name) ?? null;
  if (choice === null || choices.includes(choice)) return choice;
  const message = `Invalid ${name}: must be one of ${choices.join(", ")}`;
  throw badParameter(name, "parameter_invalid", message);
}

/** `allowed`: where the names are typed as keys of the SDK's parameters, an SDK that renames one breaks the build. */
export function refuseUnknown(form: Form, allowed: readonly string[]): void {
  const unknown = Object.keys(form).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  throw badParameter(unknown, "parameter_unknown", `Received unknown parameter: ${unknown}`);
}

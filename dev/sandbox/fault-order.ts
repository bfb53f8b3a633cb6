// Reads the JSON that orders a fault. What it does not know, it refuses: a fault that is misspelt must not strike elsewhere.
import {
  badSignatures,
  type Fault,
  type FaultName,
  faultNames,
  type Provider,
  providers,
} from "./faults.ts";
import type { Form } from "./form.ts";

/** A fault waits no longer than that. */
const MAX_LATENCY_MS = 600_000;
/** A webhook is sent no more often than that by one fault. */
const MAX_COPIES = 10;

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => string | undefined;

const whole =
  (name: string, min: number, max = Number.MAX_SAFE_INTEGER): Check =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? undefined
      : `${name} must be a whole number from ${min} to ${max}.`;

const text =
  (name: string): Check =>
  (value) =>
    typeof value === "string" && value !== "" ? undefined : `${name} must be a text.`;

const oneOf =
  (name: string, names: readonly string[]): Check =>
  (value) =>
    names.some((known) => known === value)
      ? undefined
      : `${name} must be one of ${names.join(", ")}.`;

const texts: Check = (value) =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every((item) => typeof item === "string")
    ? undefined
    : 'metadata must be an object of texts: {"order_id": "…"}.';

const checks: Readonly<Record<keyof Fault, Check>> = {
  provider: oneOf("provider", providers),
  fault: oneOf("fault", faultNames),
  count: whole("count", 1),
  nth: whole("nth", 1),
  latencyMs: whole("latencyMs", 0, MAX_LATENCY_MS),
  status: whole("status", 400, 599),
  copies: whole("copies", 2, MAX_COPIES),
  signature: oneOf("signature", badSignatures),
  path: text("path"),
  operation: text("operation"),
  event: text("event"),
  metadata: texts,
};

/** Which fault cannot be without which field. */
const needs: Partial<Readonly<Record<FaultName, keyof Fault>>> = {
  latency: "latencyMs",
  execute_then_wait: "latencyMs",
  webhook_delay: "latencyMs",
  status: "status",
  webhook_signature: "signature",
};
const numbers: ReadonlySet<string> = new Set(["count", "nth", "latencyMs", "status", "copies"]);
const stripeOnly: readonly (keyof Fault)[] = ["operation", "event", "metadata", "signature"];

/** The fault, or what is wrong with it. */
export function readFault(given: Form | undefined): Fault | string {
  if (given === undefined) return "The body must be a JSON object.";
  const count = given["fault"] === "webhook_reorder" ? 2 : 1;
  const fields: Record<string, unknown> = { count };
  for (const [name, value] of Object.entries(given))
    fields[name] = numbers.has(name) && typeof value === "string" ? Number(value) : value;
  return wrongWith(fields) ?? (fields as unknown as Fault);
}

function wrongWith(fields: Fields): string | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(checks, name))
      return `${name} is no field of a fault: ${Object.keys(checks).join(", ")}.`;
    const wrong = checks[name as keyof Fault](value);
    if (wrong !== undefined) return wrong;
  }
  for (const name of ["provider", "fault"] as const)
    if (fields[name] === undefined) return checks[name](undefined);
  const needed = needs[fields["fault"] as FaultName];
  if (needed !== undefined && fields[needed] === undefined)
    return `The fault ${String(fields["fault"])} needs ${needed}.`;
  const provider = fields["provider"] as Provider;
  const foreign = stripeOnly.find((name) => fields[name] !== undefined);
  const webhook = String(fields["fault"]).startsWith("webhook_");
  if (provider === "stripe" || (foreign === undefined && !webhook)) return undefined;
  return `${foreign ?? String(fields["fault"])} belongs to the provider stripe.`;
}

// A mail as given to Resend, checked as Resend does.
import { ResendRefusal } from "./resend-refusal.ts";

export interface Mail {
  readonly id: string;
  readonly idempotencyKey: string | null;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly tags: readonly { readonly name: string; readonly value: string }[];
}

/** https://resend.com/docs/api-reference/emails/send-email */
const MAX_RECIPIENTS = 50;
const known = new Set([
  "from",
  "to",
  "cc",
  "bcc",
  "reply_to",
  "subject",
  "text",
  "html",
  "headers",
  "tags",
]);
const address = /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/;

type Fields = Readonly<Record<string, unknown>>;

export function readMail(body: string, head: Pick<Mail, "id" | "idempotencyKey" | "time">): Mail {
  const fields = parse(body);
  const unknown = Object.keys(fields).find((name) => !known.has(name));
  if (unknown !== undefined) throw invalid(`The sandbox does not know the \`${unknown}\` field.`);
  const from = readAddresses(fields, "from");
  const to = readAddresses(fields, "to");
  for (const [name, list] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (list.length === 0) throw missing(name);
  }
  if (to.length > MAX_RECIPIENTS)
    throw invalid(`The \`to\` field takes at most ${MAX_RECIPIENTS} addresses.`);
  const text = readText(fields, "text");
  const html = readText(fields, "html");
  if (text === null && html === null) throw invalid("Missing `html` or `text` field.");
  const subject = readText(fields, "subject");
  if (subject === null) throw missing("subject");
  return {
    ...head,
    from: from[0] ?? "",
    to,
    cc: readAddresses(fields, "cc"),
    bcc: readAddresses(fields, "bcc"),
    replyTo: readAddresses(fields, "reply_to"),
    subject,
    text,
    html,
    tags: readTags(fields),
  };
}

function parse(body: string): Fields {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Fields;
  } catch (error) {
    throw invalid(`The body is not JSON: ${String(error)}`);
  }
  throw invalid("The body must be a JSON object.");
}

function readAddresses(fields: Fields, name: string): string[] {
  const value = fields[name] ?? [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    const bare =
      typeof item === "string" ? (/<([^<>]*)>$/.exec(item.trim())?.[1] ?? item.trim()) : "";
    if (typeof item === "string" && address.test(bare)) return item;
    throw invalid(
      `Invalid \`${name}\` field. The email address needs to follow the \`email@example.com\` or \`Name <email@example.com>\` format.`,
    );
  });
}

function readText(fields: Fields, name: string): string | null {
  const value = fields[name] ?? null;
  if (value === null || typeof value === "string") return value;
  throw invalid(`The \`${name}\` field must be a string.`);
}

function readTags(fields: Fields): Mail["tags"] {
  const value = fields["tags"] ?? [];
  if (!Array.isArray(value)) throw invalid("The `tags` field must be a list.");
  return value.map((tag: { name?: unknown; value?: unknown } | null) => {
    if (typeof tag?.name === "string" && typeof tag.value === "string")
      return { name: tag.name, value: tag.value };
    throw invalid("Each tag needs a `name` and a `value`.");
  });
}

const invalid = (message: string): ResendRefusal =>
  new ResendRefusal(422, "validation_error", message);

const missing = (name: string): ResendRefusal =>
  new ResendRefusal(422, "missing_required_field", `Missing \`${name}\` field.`);

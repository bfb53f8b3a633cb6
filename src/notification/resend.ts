// Resend: the only file that imports its SDK, which never throws: it returns its errors. https://resend.com/docs/api-reference/errors
import { Resend } from "resend";
import type { ResendSettings } from "./config.ts";
import type { SendResult } from "./delivery.ts";

/** The SDK has no timeout of its own. Shorter than the lease of a message that is being sent. */
const SEND_TIMEOUT_MS = 5000;

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Empty: the plain text alone. */
  readonly html: string;
  /** The notification's ID: the same key is the same mail, for 24 hours. */
  readonly idempotencyKey: string;
}

export type SendMail = (mail: Mail) => Promise<SendResult>;

export function openResend(settings: ResendSettings): SendMail {
  const resend = new Resend(
    settings.apiKey,
    settings.baseUrl === undefined ? {} : { baseUrl: settings.baseUrl },
  );
  return async ({ to, subject, text, html, idempotencyKey }) => {
    const { data, error, headers } = await resend.emails.send(
      { from: settings.from, to, subject, text, ...(html !== "" && { html }) },
      { idempotencyKey, signal: AbortSignal.timeout(SEND_TIMEOUT_MS) },
    );
    if (error === null) return { outcome: "accepted", providerMessageId: data.id };
    return resultOf(error.name, error.statusCode, headers?.["retry-after"]);
  };
}

/** Only what is certainly not sent is refused; what cannot be told is unknown, and repeated with the same key. */
function resultOf(
  name: string,
  statusCode: number | null | undefined,
  retryAfter: string | undefined,
): SendResult {
  const reason = `Resend: ${name}`;
  if (statusCode === null || statusCode === undefined || statusCode >= 500)
    return { outcome: "unknown", reason };
  if (name === "concurrent_idempotent_requests") return { outcome: "unknown", reason };
  if (statusCode === 429) {
    const seconds = Number(retryAfter);
    return { outcome: "later", reason, ...(seconds > 0 && { waitMs: seconds * 1000 }) };
  }
  // A wrong key is our configuration: the mail waits until it is mended.
  if (statusCode === 401 || statusCode === 403)
    return { outcome: "later", reason: `${reason}; check RESEND_API_KEY` };
  return { outcome: "refused", reason };
}

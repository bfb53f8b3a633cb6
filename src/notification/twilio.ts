// Twilio: the only file that imports its SDK. It knows no idempotency key: a lost answer stays unknown. https://www.twilio.com/docs/api/errors
import twilio from "twilio";
import type { TwilioSettings } from "./config.ts";
import type { SendResult } from "./delivery.ts";

/** The SDK's own is 30 s. Shorter than the lease of a message that is being sent. */
const SEND_TIMEOUT_MS = 5000;

export type SendSms = (sms: { readonly to: string; readonly text: string }) => Promise<SendResult>;

export function openTwilio(settings: TwilioSettings): SendSms {
  const client = twilio(settings.accountSid, settings.authToken, {
    timeout: SEND_TIMEOUT_MS,
    autoRetry: false,
  });
  if (settings.baseUrl !== undefined) client.api.baseUrl = settings.baseUrl;
  return async ({ to, text }) => {
    try {
      const message = await client.messages.create({ to, from: settings.from, body: text });
      return { outcome: "accepted", providerMessageId: message.sid };
    } catch (error) {
      return resultOf(error);
    }
  };
}

/** An HTTP answer below 500 says that nothing was sent; anything else proves nothing. */
function resultOf(error: unknown): SendResult {
  const { status, code } = error as { status?: number; code?: number | string };
  if (code === "ECONNREFUSED") return { outcome: "later", reason: "Twilio: no connection" };
  const reason = `Twilio: ${code ?? status ?? "no answer"}`;
  if (typeof status !== "number" || status >= 500) return { outcome: "unknown", reason };
  if (status === 429) return { outcome: "later", reason };
  if (status === 401 || status === 403)
    return { outcome: "later", reason: `${reason}; check TWILIO_AUTH_TOKEN` };
  return { outcome: "refused", reason };
}

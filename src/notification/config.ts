// The Notification service's settings.
import type { SettingsReader } from "../platform/config.ts";
import { readProviderBaseUrl } from "../platform/provider.ts";
import { readServiceSettings, type ServiceSettings } from "../platform/settings.ts";

export interface NotificationConfig extends ServiceSettings {
  readonly resend: ResendSettings;
  readonly twilio: TwilioSettings;
}

export interface ResendSettings {
  readonly apiKey: string;
  /** The sender: "Waybill <orders@example.com>", of a domain that Resend knows as yours. */
  readonly from: string;
  /** Where the sandbox of the providers listens; undefined is Resend itself. */
  readonly baseUrl: string | undefined;
}

export interface TwilioSettings {
  readonly accountSid: string;
  readonly authToken: string;
  /** The sender's number in E.164 form. */
  readonly from: string;
  /** Where the sandbox of the providers listens; undefined is Twilio itself. */
  readonly baseUrl: string | undefined;
}

export function readNotificationConfig(read: SettingsReader): NotificationConfig {
  const apiKey = read.text("RESEND_API_KEY", "Resend's API key, re_…");
  const authToken = read.text("TWILIO_AUTH_TOKEN", "Twilio's auth token");
  const config = {
    ...readServiceSettings("notification", read),
    resend: {
      apiKey,
      from: read.text("MAIL_FROM", "the sender of e-mails, Name <address>"),
      baseUrl: readProviderBaseUrl(read, "RESEND_BASE_URL", apiKey.startsWith("re_test")),
    },
    twilio: {
      accountSid: read.text("TWILIO_ACCOUNT_SID", "Twilio's account SID, AC…"),
      authToken,
      from: read.text("SMS_FROM", "the sender's phone number, +…"),
      // Twilio has no test keys of a form of their own: its sandbox's token starts with "test".
      baseUrl: readProviderBaseUrl(read, "TWILIO_BASE_URL", authToken.startsWith("test")),
    },
  };
  read.done();
  return config;
}

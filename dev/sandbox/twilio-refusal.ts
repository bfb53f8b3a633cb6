// Twilio's errors. https://www.twilio.com/docs/api/errors
import { type Answer, jsonAnswer } from "./answer.ts";

export class TwilioRefusal extends Error {
  override readonly name = "TwilioRefusal";
  readonly answer: Answer;

  constructor(status: number, code: number, message: string) {
    super(message);
    const more_info = `https://www.twilio.com/docs/errors/${code}`;
    this.answer = jsonAnswer(status, { code, message, more_info, status });
  }
}

/** Errors that a fault asks for. A failure of Twilio's own carries no code that says whether the message went. */
export function twilioRefusal(status: number): Answer {
  if (status === 429) return new TwilioRefusal(429, 20429, "Too Many Requests").answer;
  return new TwilioRefusal(status, 20500, "An error that a fault of the sandbox asked for.").answer;
}

/** Basic auth with the account's SID and any token. */
export function checkTwilioAuth(authorization: string | undefined, accountSid: string): void {
  const credentials = /^Basic (.+)$/.exec(authorization ?? "")?.[1] ?? "";
  const [sid, token = ""] = Buffer.from(credentials, "base64").toString().split(":", 2);
  if (sid === accountSid && token !== "" && /^AC[0-9a-f]{32}$/.test(accountSid)) return;
  throw new TwilioRefusal(401, 20003, "Authenticate");
}

/** https://www.twilio.com/docs/iam/test-credentials#test-sms-messages */
const magicRecipients: Readonly<Record<string, readonly [code: number, message: string]>> = {
  "+15005550001": [21211, "Invalid 'To' Phone Number: +15005550001"],
  "+15005550002": [
    21612,
    "Message cannot be sent with the current combination of 'To' and 'From' parameters",
  ],
  "+15005550003": [
    21408,
    "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
  ],
  "+15005550004": [21610, "Attempt to send to unsubscribed recipient"],
  "+15005550009": [21614, "'To' number is not a valid mobile number"],
};
const magicSenders: Readonly<Record<string, readonly [code: number, message: string]>> = {
  "+15005550001": [21212, "Invalid From Number (caller ID): +15005550001"],
  "+15005550007": [
    21606,
    "The 'From' phone number +15005550007 is not a valid, SMS-capable inbound phone number",
  ],
  "+15005550008": [
    21611,
    "The 'From' number +15005550008 has exceeded the maximum number of queued messages",
  ],
};

/** https://www.twilio.com/docs/glossary/what-e164 */
const e164 = /^\+[1-9]\d{6,14}$/;
/** https://www.twilio.com/docs/api/errors/21617 */
const MAX_BODY_CHARACTERS = 1600;

/** Refuses a message that Twilio would refuse at once. */
export function checkMessage(to: string, from: string, body: string): void {
  if (to === "") throw new TwilioRefusal(400, 21604, "A 'To' phone number is required.");
  if (from === "") throw new TwilioRefusal(400, 21603, "A 'From' phone number is required.");
  if (body === "") throw new TwilioRefusal(400, 21602, "Message body is required.");
  if (body.length > MAX_BODY_CHARACTERS) {
    throw new TwilioRefusal(
      400,
      21617,
      "The concatenated message body exceeds the 1600 character limit",
    );
  }
  const magic = magicSenders[from] ?? magicRecipients[to];
  if (magic !== undefined) throw new TwilioRefusal(400, ...magic);
  if (!e164.test(to)) throw new TwilioRefusal(400, 21211, `Invalid 'To' Phone Number: ${to}`);
}

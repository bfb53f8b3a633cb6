// IDs in the shapes of the providers.
import { randomBytes, randomInt } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** As Stripe writes them: `pi_3PqXe…`. */
export function stripeId(prefix: string, length = 24): string {
  const characters = Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]);
  return `${prefix}_${characters.join("")}`;
}

/** As Twilio writes them: `SM` and 32 hexadecimal digits. */
export const twilioSid = (prefix: string): string => `${prefix}${randomBytes(16).toString("hex")}`;

// The last look at a line before it is written: what reads like a secret, a card number or a person's address is struck out.
import { isCardNumber } from "./card-number.ts";

const STRUCK = "[redacted]";

/** What none of the patterns below can match without; most texts of a log have none of it, and are let through at once. */
const SUSPICIOUS =
  /\d(?:[\s\p{Pd}]?\d){12}|@|%40|[sr]k_|re_|whsec_|_secret_|eyJ|(?:\+|%2B)[1-9]|bearer|basic|passw/iu;

/** A text of JSON, or a number: one that is struck out has to become a text. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** What is written in place of what a pattern found: `$1` is what may stay. */
const SECRETS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // The password in a URL: postgres://user:password@host.
  [/(:\/\/[^\s"/?#@:]*:)[^\s"/?#]*@/g, `$1${STRUCK}@`],
  [/\b(passw(?:or)?d\s*[=:]\s*)[^\s"&;,]+/gi, `$1${STRUCK}`],
  [/\b(bearer\s+)[\w~+/.=-]{8,}/gi, `$1${STRUCK}`],
  [/\b(basic\s+)[\w~+/=-]{12,}/gi, `$1${STRUCK}`],
  // JSON Web Tokens: their head is {"… in base64url.
  [/\beyJ[\w-]{4,}(?:\.[\w-]*){0,2}/g, STRUCK],
  // Keys of Stripe and of Resend, secrets of webhooks, client secrets of Stripe: pi_…_secret_….
  [/\b[sr]k_\w{4,}/g, STRUCK],
  [/\bre_[A-Za-z0-9]+_\w+/g, STRUCK],
  [/\bwhsec_[\w+/=-]+/g, STRUCK],
  [/_secret_\w+/g, `_secret_${STRUCK}`],
  // E-mail addresses and phone numbers in E.164 form, as they are and as they stand in URLs.
  [
    /[^\s"\\<>()[\],;:@=&?/]{1,64}(?:@|%40)(?:[^\s"\\<>()[\],;:@=&?/.]{1,63}\.)+\p{L}{2,63}/giu,
    STRUCK,
  ],
  [/(?:\+|%2B)[1-9](?:[\s()./\p{Pd}]{0,2}\d){6,14}(?!\d)/giu, STRUCK],
];

/** UUIDs are IDs, however many digits they have; other digits, alone or behind a word, may hold a card's number. */
const ID_OR_DIGITS =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\p{L}\d])(\p{L}*)(\d(?:[\s\p{Pd}]?\d){12,})(?=\p{L}*(?![\p{L}\d]))/giu;

/** The line, one JSON object, without what must not be written. It stays JSON. */
export function scrubbed(line: string): string {
  return SUSPICIOUS.test(line) ? line.replaceAll(TOKENS, scrubToken) : line;
}

function scrubToken(token: string): string {
  if (!token.startsWith('"')) return isCardNumber(token) ? `"${STRUCK}"` : token;
  if (!SUSPICIOUS.test(token)) return token;
  const text: unknown = JSON.parse(token);
  return JSON.stringify(withoutSecrets(String(text)));
}

function withoutSecrets(text: string): string {
  let left = text;
  for (const [pattern, instead] of SECRETS) left = left.replaceAll(pattern, instead);
  return left.replaceAll(ID_OR_DIGITS, (found: string, word?: string, digits?: string) =>
    digits === undefined ? found : `${word ?? ""}${withoutCards(digits)}`,
  );
}

/** A group has a digit at least, so a card's number has no more of them than digits; with what stands between. */
const MOST_PARTS = 2 * 19 - 1;

/** Of groups of digits, those struck out that are a card's number together: other digits may stand before and behind it. */
function withoutCards(digits: string): string {
  const parts = digits.split(/([\s\p{Pd}])/u);
  const left: string[] = [];
  for (let from = 0; from < parts.length;) {
    const length = from % 2 === 0 ? cardAt(parts, from) : 0; // behind each group stands what separates it
    left.push(length === 0 ? (parts[from] ?? "") : STRUCK);
    from += Math.max(length, 1);
  }
  return left.join("");
}

/** How many parts from there on are a card's number together, the most there can be. */
function cardAt(parts: readonly string[], from: number): number {
  for (let length = MOST_PARTS; length > 0; length -= 2) {
    if (isCardNumber(parts.slice(from, from + length).join(""))) return length;
  }
  return 0;
}

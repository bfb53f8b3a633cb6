// Percent-decoding of paths and queries, by the rules of google/api/http.proto.
import { TranscoderError } from "./error.ts";

// RFC 3986, section 2.2. In a variable of several segments these keep their escapes, since a raw one means structure.
const RESERVED_ESCAPE = /%(?:2[1346789ABCF]|3[ABDF]|40|5[BD])/gi;
const PATH_CHARACTERS = /^(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

function decode(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TranscoderError("invalid_argument", `The ${where} is not percent-encoded UTF-8.`);
  }
}

/** Refuses a raw path with a broken escape or a character that a URL cannot hold. */
export function checkPath(rawPath: string): void {
  if (PATH_CHARACTERS.test(rawPath)) return;
  throw new TranscoderError("invalid_argument", "The path has a malformed percent-encoding.");
}

/** The value of a variable of one segment: every escape is decoded, `%2F` too. */
export function decodeSegment(raw: string): string {
  return raw.includes("%") ? decode(raw, "path") : raw;
}

/** The value of a variable that may span segments: every escape but those of reserved characters. */
export function decodeSegments(raw: string): string {
  if (!raw.includes("%")) return raw;
  // An escaped percent sign in front of each reserved escape lets it come out of the decoder as it went in.
  return decode(
    raw.replaceAll(RESERVED_ESCAPE, (escape) => `%25${escape.slice(1)}`),
    "path",
  );
}

/** The pairs of a query string as application/x-www-form-urlencoded has them: `+` is a space. */
export function parseQuery(raw: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const piece of raw.split("&")) {
    if (piece === "") continue;
    const cut = piece.indexOf("=");
    const name = cut === -1 ? piece : piece.slice(0, cut);
    pairs.push([decodeQuery(name), cut === -1 ? "" : decodeQuery(piece.slice(cut + 1))]);
  }
  return pairs;
}

function decodeQuery(raw: string): string {
  const spaced = raw.includes("+") ? raw.replaceAll("+", " ") : raw;
  return spaced.includes("%") ? decode(spaced, "query") : spaced;
}

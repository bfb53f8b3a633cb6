// Reads the JSON body of a request into the message, or says what is wrong with it and where.
import {
  type DescMessage,
  type JsonValue,
  type Message,
  type Registry,
  create,
  fromJson,
  fromJsonString,
} from "@bufbuild/protobuf";
import type { Body } from "./binding.ts";
import { TranscoderError, invalidFields } from "./error.ts";
import { findJsonFault } from "./json-fault.ts";
import { findViolations } from "./violation.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const JSON_TYPE = /^application\/(?:json|[\w.!#$&^-]+\+json)\s*(?:;|$)/i;
/** Digits enough for a whole number that a double cannot hold. */
const LONG_NUMBER = /\d{16}/;
const WHOLE = /^-?\d+$/;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

export interface BodyRequest {
  readonly headers: Headers;
  readonly bytes: Uint8Array | undefined;
  readonly maxBytes: number;
  readonly registry: Registry | undefined;
}

/**
 * The request message with what the body says. An absent body is an empty object.
 * @throws {TranscoderError} 400, 413 or 415.
 */
export function readBody(input: DescMessage, body: Body, request: BodyRequest): Message {
  const { bytes } = request;
  if (bytes === undefined || bytes.length === 0) return create(input);
  if (body.kind === "none") {
    throw new TranscoderError("invalid_argument", "This route takes no body.");
  }
  checkSize(bytes.length, request.maxBytes);
  checkType(request.headers);
  const text = decodeUtf8(bytes);
  try {
    if (body.kind === "whole") return decodeJson(input, text, request.registry);
    // Only a text that is one JSON value may be wrapped, or it could reach beyond its field.
    JSON.parse(text);
    const wrapped = `{${JSON.stringify(body.field.jsonName)}:${text}}`;
    return decodeJson(input, wrapped, request.registry);
  } catch {
    // What the decoder says names types rather than places; the diagnosis replaces it.
    throw diagnose(input, body, text, request.registry);
  }
}

/** @throws {TranscoderError} 413 */
function checkSize(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  const message = `The body is larger than ${String(maxBytes)} bytes.`;
  throw new TranscoderError("resource_exhausted", message, { status: 413 });
}

function checkType(headers: Headers): void {
  const type = headers.get("content-type") ?? "";
  const charset = CHARSET.exec(type)?.[1]?.toLowerCase() ?? "utf-8";
  const coding = headers.get("content-encoding") ?? "identity";
  if (JSON_TYPE.test(type) && ["utf-8", "utf8"].includes(charset) && coding === "identity") return;
  throw new TranscoderError(
    "invalid_argument",
    "The body must be JSON: send it uncompressed in UTF-8 with content-type: application/json.",
    { status: 415, headers: { accept: "application/json" } },
  );
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new TranscoderError("invalid_argument", "The body is not valid UTF-8.");
  }
}

function decodeJson(input: DescMessage, text: string, registry: Registry | undefined): Message {
  const options = registry === undefined ? {} : { registry };
  if (!LONG_NUMBER.test(text)) return fromJsonString(input, text, options);
  const fault = findJsonFault(text);
  if (fault !== undefined) throw new SyntaxError(fault.message);
  // As texts they would be let into fields of text, too: so first, whether numbers stand where numbers may.
  fromJson(
    input,
    parseWith(text, () => 1),
    options,
  );
  return fromJson(input, parseWith(text, asWritten), options);
}

/** JSON.parse rounds whole numbers beyond 2^53; `instead` says what stands for one. */
function parseWith(text: string, instead: (source: string) => JsonValue): JsonValue {
  const exact = (_name: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && WHOLE.test(context?.source ?? "")
      ? instead(context?.source ?? "")
      : value;
  return JSON.parse(text, exact) as JsonValue;
}

/** ProtoJSON takes whole numbers as texts as well. */
const asWritten = (source: string): string => source;

function diagnose(
  input: DescMessage,
  body: Exclude<Body, { kind: "none" }>,
  text: string,
  registry: Registry | undefined,
): TranscoderError {
  const fault = findJsonFault(text);
  if (fault !== undefined) {
    const where = `line ${String(fault.line)}, column ${String(fault.column)}`;
    return new TranscoderError(
      "invalid_argument",
      `The body is not valid JSON: ${fault.message} at ${where}.`,
    );
  }
  const violationsWith = (instead: (source: string) => JsonValue) => {
    // The scanner has accepted the text, so this neither throws nor drops a name.
    const value = parseWith(text, instead);
    const json = body.kind === "whole" ? value : { [body.field.jsonName]: value };
    return findViolations(input, json, registry);
  };
  const found = violationsWith(() => 1);
  return invalidFields(
    "The body does not fit the request",
    found.length > 0 ? found : violationsWith(asWritten),
  );
}

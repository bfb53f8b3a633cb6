// What an answer must be: what breaks the contract is refused and the field is named; nothing is an error of the server.
import { fromJson, fromJsonString, type JsonValue } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import type { Told, Way } from "./send.ts";
import type { Target } from "./targets.ts";

/** Codes that say that the server is at fault: a request never is the cause of one. */
const SERVERS_FAULT =
  /^(internal|unknown|data_loss|unimplemented|unavailable|deadline_exceeded|HTTP 5..)$/;
/** A path with another value in it may be another route, or none. */
const NO_ROUTE = /There is no such route|The route takes/;

/** What is no JSON, or too deep to be looked at, has no fields: the answer says where it stops being any. */
const PLACE = /not valid JSON.*line \d+,? column \d+|The request is not valid JSON/;
/** The contract is kept; another request came before. */
const OF_STATE = /IDEMPOTENCY_KEY_REUSED|MORE_THAN_IS_LEFT/;

export interface Case {
  readonly target: Target;
  /** "CreateOrder items[0].quantity: 10000" */
  readonly what: string;
  /** Some of these names must be in the answer that refuses it: the field's, in proto or in JSON. */
  readonly names: readonly string[];
  readonly text: string;
  /** The request in the binary format, where it has no other form: then the text is for people. */
  readonly bytes?: Uint8Array;
}

const validator = createValidator();

/** Why the contract refuses the request; undefined: it does not, and the service decides. */
export function brokenRule(method: Target["method"], text: string, way: Way): string | undefined {
  try {
    const request = way === "REST" ? fromExactly(method, text) : fromJsonString(method.input, text);
    // The gateway makes a request_id where none is given.
    if (way === "REST" && "requestId" in request && request.requestId === "")
      request.requestId = "x";
    const result = validator.validate(method.input, request);
    return result.kind === "valid" ? undefined : result.error.message;
  } catch (error) {
    return String(error);
  }
}

/** The gateway reads whole numbers beyond 2^53 as they are written; JSON.parse rounds them. */
function fromExactly({ input }: Target["method"], text: string) {
  const exact = (_name: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" && /^-?\d{16,}$/.test(context?.source ?? "")
      ? (context?.source ?? value)
      : value;
  const json = JSON.parse(text, exact) as JsonValue;
  fromJsonString(input, text.replaceAll(/\d{16,}/g, "1")); // it alone sees what is given twice
  return fromJson(input, json);
}

/** What is wrong with an answer; undefined: nothing. */
export function complaint(one: Case, way: Way, told: Told): string | undefined {
  const { target, names, text } = one;
  if (SERVERS_FAULT.test(told.code)) return `the server's fault: ${told.code}`;
  // Bytes that cannot be read have no fields.
  if (one.bytes !== undefined) return undefined;
  if (way === "REST" && NO_ROUTE.test(told.text)) return undefined;
  // A URL that is too long is refused by Node, before anything can be named.
  if (told.differs && /^HTTP 4(14|31)$/.test(told.code)) return undefined;
  const isText = way !== "gRPC" && told.differs !== true;
  const broken = isText ? brokenRule(target.method, text, way) : undefined;
  if (broken !== undefined && told.code !== "invalid_argument")
    return `not refused though ${broken}`;
  if (told.code !== "invalid_argument") return undefined;
  if (isText && PLACE.test(told.text)) return undefined;
  if (broken === undefined && OF_STATE.test(told.text)) return undefined;
  return names.some((name) => told.text.includes(name)) ? undefined : "the field is not named";
}

/** One line for people, and for the report of a run. */
export const inWords = (
  { what, text }: Case,
  way: Way,
  told: Told | undefined,
  why: string,
): string =>
  `${what} over ${way}: ${why}\n  request ${cut(text)}\n  answer  ${told?.code ?? "none"} ${cut(told?.text ?? "")}`;

const SHOWN = 300;
const cut = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} signs)` : text;

// Path templates, to the letter of google/api/http.proto:
//   Template  = "/" Segments [ ":" LITERAL ]       Segments = Segment { "/" Segment }
//   Segment   = "*" | "**" | LITERAL | Variable    Variable = "{" FieldPath [ "=" Segments ] "}"
// `**` is the last segment, and a variable holds no other variable.
import { HttpRuleError } from "./error.ts";

type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "single" }
  | { readonly kind: "rest" };

export interface Variable {
  /** The dotted field path in proto names. */
  readonly field: string;
  /** The first segment that it captures. */
  readonly start: number;
  /** The segment after the last one; undefined when it captures to the end of the path. */
  readonly end: number | undefined;
  /** It may span segments, so that escapes of reserved characters stay. */
  readonly several: boolean;
}

export interface Template {
  readonly source: string;
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** The custom verb behind the last colon; "" for none. */
  readonly verb: string;
}

const LITERAL = /^(?:[\w\-.~!$&'()+,;@]|%[0-9A-Fa-f]{2})+$/;
const FIELD_PATH = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

/** @throws {HttpRuleError} when http.proto does not allow the template; the message says why. */
export function parseTemplate(source: string): Template {
  const refuse = (why: string): never => {
    throw new HttpRuleError(`the path template ${JSON.stringify(source)} ${why}`);
  };
  if (!source.startsWith("/")) refuse(`does not start with "/"`);
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  const { path, verb } = splitVerb(source.slice(1));
  if (verb !== undefined && !LITERAL.test(verb)) refuse(`has the malformed verb ${quoted(verb)}`);

  for (const piece of splitSegments(path)) {
    if (!piece.startsWith("{")) {
      segments.push(readSegment(piece, refuse));
      continue;
    }
    if (!piece.endsWith("}")) refuse(`has the malformed variable ${quoted(piece)}`);
    const variable = readVariable(piece.slice(1, -1), segments.length, refuse);
    if (variables.some((other) => other.field === variable.captured.field)) {
      refuse(`binds ${variable.captured.field} twice`);
    }
    variables.push(variable.captured);
    segments.push(...variable.segments);
  }
  if (segments.slice(0, -1).some((segment) => segment.kind === "rest")) {
    refuse(`has something after "**", which must be the last segment`);
  }
  return { source, segments, variables, verb: verb ?? "" };
}

type Refuse = (why: string) => never;

function readVariable(text: string, start: number, refuse: Refuse) {
  const cut = text.indexOf("=");
  const field = cut === -1 ? text : text.slice(0, cut);
  const pattern = cut === -1 ? "*" : text.slice(cut + 1);
  if (!FIELD_PATH.test(field)) refuse(`has the malformed field path ${quoted(field)}`);
  if (/[{}]/.test(pattern)) refuse(`has a variable within the variable ${quoted(field)}`);
  const segments = pattern.split("/").map((piece) => readSegment(piece, refuse));
  const open = segments.at(-1)?.kind === "rest";
  const captured: Variable = {
    field,
    start,
    end: open ? undefined : start + segments.length,
    several: open || segments.length > 1,
  };
  return { captured, segments };
}

function readSegment(piece: string, refuse: Refuse): Segment {
  if (piece === "*") return { kind: "single" };
  if (piece === "**") return { kind: "rest" };
  if (piece === "") refuse("has an empty segment");
  if (!LITERAL.test(piece)) refuse(`has the malformed segment ${quoted(piece)}`);
  return { kind: "literal", text: piece };
}

/** The verb follows the last colon outside of braces, if no slash follows it. */
function splitVerb(text: string): { path: string; verb: string | undefined } {
  const colon = text.lastIndexOf(":");
  const isVerb = colon > Math.max(text.lastIndexOf("/"), text.lastIndexOf("}"));
  if (!isVerb) return { path: text, verb: undefined };
  return { path: text.slice(0, colon), verb: text.slice(colon + 1) };
}

/** Splits at the slashes outside of braces. */
function splitSegments(path: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < path.length; at++) {
    if (path[at] === "{") depth++;
    else if (path[at] === "}") depth--;
    else if (path[at] === "/" && depth === 0) {
      pieces.push(path.slice(start, at));
      start = at + 1;
    }
  }
  pieces.push(path.slice(start));
  return pieces;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

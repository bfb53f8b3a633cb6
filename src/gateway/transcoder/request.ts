// Builds the request message of an RPC from path, query and body.
import type { Message } from "@bufbuild/protobuf";
import { isFieldSet } from "@bufbuild/protobuf";
import type { Binding, BoundVariable } from "./binding.ts";
import { type BodyRequest, readBody } from "./body.ts";
import { type Violation, invalidField, invalidFields } from "./error.ts";
import { expectationOf } from "./expectation.ts";
import {
  type FieldPath,
  appendField,
  holderOf,
  readField,
  resolveField,
  rivalOf,
  sameValue,
  spoken,
  writeField,
} from "./field-path.ts";
import { decodeSegment, decodeSegments, parseQuery } from "./percent.ts";
import { textReader } from "./text-value.ts";

const PATH = "The path does not fit the request";
const QUERY = "The query does not fit the request";

/** @throws {TranscoderError} naming each field that is wrong. */
export function buildRequest(
  binding: Binding,
  segments: readonly string[],
  rawQuery: string,
  body: BodyRequest,
): Message {
  const message = readBody(binding.method.input, binding.body, body);
  for (const variable of binding.variables) bindPath(message, variable, segments);
  if (rawQuery !== "") bindQuery(message, binding, rawQuery);
  return message;
}

function bindPath(message: Message, variable: BoundVariable, segments: readonly string[]): void {
  const { path, read } = variable;
  const raw = segments.slice(variable.start, variable.end);
  const text = variable.several ? raw.map(decodeSegments).join("/") : decodeSegment(raw[0] ?? "");
  const value = read(text);
  if (value === undefined) {
    throw invalidField(PATH, path.jsonNames, `must be ${expectationOf(path.leaf)}`);
  }
  const holder = holderOf(message, path);
  if (holder === undefined || rivalOf(holder, path.leaf) !== undefined) {
    throw invalidField(PATH, path.jsonNames, "cannot be given together with what the body says");
  }
  if (isFieldSet(holder, path.leaf) && !sameValue(path.leaf, readField(holder, path.leaf), value)) {
    throw invalidField(PATH, path.jsonNames, "differs from what the body says");
  }
  writeField(holder, path.leaf, value);
}

function bindQuery(message: Message, binding: Binding, rawQuery: string): void {
  const given = new Set<string>();
  const violations: Violation[] = [];
  for (const [name, text] of parseQuery(rawQuery)) {
    const wrong = bindParameter(message, binding, { name, text, given });
    if (wrong !== undefined) violations.push({ field: spoken(name), message: wrong });
  }
  if (violations.length > 0) throw invalidFields(QUERY, violations);
}

interface Parameter {
  readonly name: string;
  readonly text: string;
  /** Paths that the query has named before, in proto names. */
  readonly given: Set<string>;
}

/** Returns what is wrong with the parameter. */
function bindParameter(
  message: Message,
  binding: Binding,
  parameter: Parameter,
): string | undefined {
  const path = resolveField(binding.method.input, parameter.name);
  if (path === undefined) return "is not a parameter of this route";
  const read = textReader(path.leaf);
  if (read === undefined) return "cannot be given in the query";

  const repeated = path.leaf.fieldKind === "list";
  if (!repeated && parameter.given.has(path.names)) return "is given more than once";
  parameter.given.add(path.names);

  const value = read(parameter.text);
  if (value === undefined) return `must be ${expectationOf(path.leaf)}`;
  const inPath = binding.variables.some((variable) => variable.path.names === path.names);
  if (!inPath && belongsToBody(binding, path)) return "belongs in the body";

  const holder = holderOf(message, path);
  if (holder === undefined) return "cannot be given together with another field";
  if (inPath) {
    return sameValue(path.leaf, readField(holder, path.leaf), value)
      ? undefined
      : "differs from what the path says";
  }
  const rival = rivalOf(holder, path.leaf);
  if (rival !== undefined) return `cannot be given together with ${rival}`;
  if (repeated) appendField(holder, path.leaf, value);
  else writeField(holder, path.leaf, value);
  return undefined;
}

function belongsToBody(binding: Binding, path: FieldPath): boolean {
  if (binding.body.kind === "none") return false;
  return binding.body.kind === "whole" || (path.parents[0] ?? path.leaf) === binding.body.field;
}

// Finds which fields of a JSON body do not fit the message. Only run on a body that the decoder refused.
import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Registry,
  ScalarType,
  fromJson,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { Violation } from "./error.ts";
import { expectationOf } from "./expectation.ts";
import { fieldNamed, spoken } from "./field-path.ts";

/** More than a caller reads at once. */
const MAX_VIOLATIONS = 32;
const MAX_DEPTH = 100;

interface Search {
  readonly registry: Registry | undefined;
  readonly found: Violation[];
}

/** The fields that do not fit, spelled as the body spells them: `items[0].quantity`. */
export function findViolations(
  message: DescMessage,
  json: JsonValue,
  registry?: Registry,
): Violation[] {
  const search: Search = { registry, found: [] };
  inMessage(message, json, "", search);
  return search.found;
}

function inMessage(message: DescMessage, json: JsonValue, path: string, search: Search): void {
  if (!isObject(json)) return report(search, path, "must be an object");
  if (path.split(".").length > MAX_DEPTH) return report(search, path, "is nested too deep");
  const spelled = new Map<DescField, string>();
  for (const [key, value] of Object.entries(json)) {
    const at = path === "" ? spoken(key) : `${path}.${spoken(key)}`;
    const field = fieldNamed(message, key);
    if (field === undefined) {
      report(search, at, "is not a field of the request");
      continue;
    }
    const other = spelled.get(field) ?? rivalIn(spelled, field, value);
    if (other !== undefined) report(search, at, `cannot be given together with ${other}`);
    spelled.set(field, key);
    inField(message, field, value, { path: at, search });
  }
}

/** Another member of the field's oneof that the object has given. */
function rivalIn(
  spelled: Map<DescField, string>,
  field: DescField,
  value: JsonValue,
): string | undefined {
  if (field.oneof === undefined || value === null) return undefined;
  for (const [other, key] of spelled) if (other.oneof === field.oneof) return key;
  return undefined;
}

function inField(
  parent: DescMessage,
  field: DescField,
  value: JsonValue,
  { path, search }: { path: string; search: Search },
): void {
  if (decodes(parent, { [field.name]: value }, search)) return;
  if (field.fieldKind === "list") {
    if (!Array.isArray(value)) return report(search, path, "must be an array");
    value.forEach((item, index) => {
      if (decodes(parent, { [field.name]: [item] }, search)) return;
      inValue(field, item, `${path}[${String(index)}]`, search);
    });
    return;
  }
  if (field.fieldKind === "map") {
    if (!isObject(value)) return report(search, path, "must be an object");
    for (const [key, item] of Object.entries(value)) {
      if (decodes(parent, { [field.name]: { [key]: item } }, search)) continue;
      const at = `${path}[${JSON.stringify(spoken(key))}]`;
      if (field.mapKey === ScalarType.STRING) inValue(field, item, at, search);
      else report(search, at, "is not an entry of this map");
    }
    return;
  }
  inValue(field, value, path, search);
}

/** One value that is known not to fit: a plain message is searched further, anything else is named. */
function inValue(field: DescField, value: JsonValue, path: string, search: Search): void {
  if (field.message !== undefined && !hasCustomJsonRepresentation(field.message)) {
    return inMessage(field.message, value, path, search);
  }
  report(search, path, `must be ${expectationOf(field)}`);
}

/** The decoder itself is the judge, so that this search never disagrees with it. */
function decodes(message: DescMessage, json: JsonObject, search: Search): boolean {
  try {
    fromJson(message, json, search.registry === undefined ? {} : { registry: search.registry });
    return true;
  } catch {
    return false;
  }
}

function report(search: Search, path: string, message: string): void {
  if (search.found.length >= MAX_VIOLATIONS) return;
  search.found.push({ field: path === "" ? "body" : path, message });
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

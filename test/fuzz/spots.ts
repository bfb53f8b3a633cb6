// Where a request can be wrong: every field of its message, in every nested message, and every element of a list.
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";

export type Json = Record<string, unknown>;

export interface Spot {
  /** From the request down, in JSON names and indexes. */
  readonly path: readonly (string | number)[];
  readonly field: DescField;
  /** The first element of the list that the field is, rather than the list. */
  readonly isElement: boolean;
}

/** A spot for each field; `items` gives one for the list, one for its first element, and those of the element's own fields. */
export function spotsOf(message: DescMessage, within: Spot["path"] = []): Spot[] {
  return message.fields.flatMap((field) => {
    const path = [...within, field.jsonName];
    const self: Spot = { path, field, isElement: false };
    if (field.fieldKind === "list") {
      const first = [...path, 0];
      return [self, { path: first, field, isElement: true }, ...below(field, first)];
    }
    return [self, ...below(field, path)];
  });
}

const below = (field: DescField, path: Spot["path"]): Spot[] =>
  field.message === undefined || hasCustomJsonRepresentation(field.message)
    ? []
    : spotsOf(field.message, path);

/** What stands in a request's text for what `JSON.stringify` would not write. */
const RAW = "@raw@";

/** The request's JSON with a text, which need not be JSON, at the spot; where the sample has nothing there, its parents are made. */
export function textWith(sample: Json, spot: Spot, raw: string): string {
  return JSON.stringify(changed(sample, spot.path, () => RAW)).replace(`"${RAW}"`, () => raw);
}

/** The request's JSON without the spot's field, or undefined where the sample has none there. */
export function textWithout(sample: Json, spot: Spot): string | undefined {
  return at(sample, spot.path) === undefined
    ? undefined
    : JSON.stringify(changed(sample, spot.path, () => undefined));
}

/** The request's JSON with the field twice. */
export function textTwice(sample: Json, spot: Spot): string | undefined {
  const value = JSON.stringify(at(sample, spot.path));
  const name = spot.path.at(-1);
  if (value === undefined || typeof name !== "string") return undefined;
  return textWith(sample, spot, `${value},${JSON.stringify(name)}:${value}`);
}

/** The request's JSON with a field that there is not, beside the spot's. */
export function textBeside(sample: Json, spot: Spot, name: string): string {
  const parent = spot.path.slice(0, -1);
  return JSON.stringify(changed(sample, [...parent, name], () => 1));
}

export function at(value: unknown, path: Spot["path"]): unknown {
  let found = value;
  for (const step of path) found = (found as Record<string | number, unknown> | undefined)?.[step];
  return found;
}

function changed(value: unknown, path: Spot["path"], to: (old: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return to(value);
  if (typeof step === "number") {
    const list = Array.isArray(value) ? [...value] : [];
    list[step] = changed(list[step], rest, to);
    return list;
  }
  const old = (value ?? {}) as Json;
  return { ...old, [step]: changed(old[step], rest, to) };
}

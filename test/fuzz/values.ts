// What may be wrong with the value of a field, from its type and its rules: JSON texts that no one should send.
import { getOption, ScalarType } from "@bufbuild/protobuf";
import { field as rulesOf } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Spot } from "./spots.ts";

export interface Value {
  readonly what: string;
  /** A JSON text, or what is none. */
  readonly raw: string;
}

const HUGE_TEXT = 100_000;
const DEPTH = 150;
const CARD = "4242 4242 4242 4242";

const text = (what: string, value: string): Value => ({ what, raw: JSON.stringify(value) });
const raws = (all: readonly string[]): Value[] =>
  all.map((raw) => ({ what: raw.slice(0, 40), raw }));

/** Of every type, each of which is wrong for most fields. */
const ANY_TYPE = [
  ...raws([
    "null",
    "true",
    "1",
    "-0",
    "1.5",
    '"x"',
    '""',
    "[]",
    "{}",
    "[null]",
    "1e300",
    "12345678901234567890",
    '{"nope":1}',
    "NaN",
  ]),
  { what: "deep nesting", raw: `${"[".repeat(DEPTH)}1${"]".repeat(DEPTH)}` },
  { what: "deep objects", raw: `${'{"a":'.repeat(DEPTH)}1${"}".repeat(DEPTH)}` },
  { what: "nested beyond any decoder", raw: `${"[".repeat(50_000)}${"]".repeat(50_000)}` },
];

const TEXTS = [
  text("a NUL", "a\0b"),
  text("right to left", "\u202eevil\u202c"),
  text("combining marks", "e\u0301".repeat(40)),
  text("of four bytes", "\u{1f600}\u{10ffff}"),
  text("a line break", "a\r\nb"),
  text("a space", " "),
  text("a card number", CARD),
  text("a word that fits many patterns", "QQQ"),
  text("SQL", "'; drop table orders; --"),
  text("a path", "../../etc/passwd"),
  text("half a percent sign", "%4"),
  { what: "a lone surrogate", raw: String.raw`"a\ud800b"` },
  { what: "an escape that is none", raw: String.raw`"\x41"` },
];

const NUMBERS = raws([
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "-1",
  "0",
  "1e2",
  "1e400",
  "0x10",
  "9223372036854775807",
  "9223372036854775808",
  '"9223372036854775808"',
  "-9223372036854775809",
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
  "-1e-7",
  '"1e2"',
  '" 1"',
  '"1.5"',
  "01",
  "+1",
  '"-0"',
  "123456789012345678901234567890",
  '"123456789012345678901234567890"',
  "4242424242424242",
]);

const TIMES = raws([
  '"yesterday"',
  '"0000-01-01T00:00:00Z"',
  '"10000-01-01T00:00:00Z"',
  '"2026-02-30T00:00:00Z"',
  '"2026-01-01T00:00:00"',
  '"2026-01-01T00:00:00.1234567890Z"',
  '"9999-12-31T23:59:59.999999999Z"',
  '"0001-01-01T00:00:00Z"',
  '"2026-01-01T25:00:00Z"',
  '"2026-01-01T00:00:00+99:00"',
]);

const ENUMS = raws(['"NOPE"', "0", "999", "-1", "2147483647", "2147483648", "1.5", '"1"']);

/** All that is tried at a spot; `good` is the sample's value there, of which lists are made. */
export function valuesAt({ field, isElement }: Spot, good: unknown): Value[] {
  if (field.fieldKind === "list" && !isElement) return [...ANY_TYPE, ...listsOf(field, good)];
  if (field.message?.typeName === "google.protobuf.Timestamp") return [...ANY_TYPE, ...TIMES];
  if (field.message !== undefined) return ANY_TYPE;
  if (field.enum !== undefined) return [...ANY_TYPE, ...ENUMS];
  if (field.scalar === ScalarType.STRING) return [...ANY_TYPE, ...TEXTS, ...lengthsOf(field)];
  if (field.scalar === ScalarType.BOOL) return [...ANY_TYPE, ...raws(['"true"', "0", '"yes"'])];
  return [...ANY_TYPE, ...NUMBERS, ...boundsOf(field)];
}

/** The rule's bounds and their neighbours. */
function boundsOf(field: Spot["field"]): Value[] {
  const { type } = getOption(field, rulesOf);
  if (type.case !== "int32" && type.case !== "int64") return [];
  const { greaterThan, lessThan } = type.value;
  return [greaterThan.value, lessThan.value]
    .flatMap((bound) => (bound === undefined ? [] : [-1n, 0n, 1n].map((by) => BigInt(bound) + by)))
    .flatMap((bound) => raws([String(bound), `"${bound}"`]));
}

/** Texts as long as the rule lets them be, and one sign shorter and longer. */
function lengthsOf(field: Spot["field"]): Value[] {
  const { type } = getOption(field, rulesOf);
  const rules = type.case === "string" ? type.value : undefined;
  const bounds = [rules?.minLen ?? 0n, rules?.maxLen ?? 0n]
    .map(Number)
    .filter((bound) => bound > 0);
  return [...bounds.flatMap((bound) => [bound - 1, bound, bound + 1]), HUGE_TEXT].map((length) =>
    text(`${length} signs`, "x".repeat(length)),
  );
}

/** Lists as long as the rule lets them be, and longer; with the same element twice. */
function listsOf(field: Spot["field"], good: unknown): Value[] {
  const { type } = getOption(field, rulesOf);
  const most = type.case === "repeated" ? Number(type.value.maxItems ?? 0n) : 0;
  const [element] = Array.isArray(good) ? good : [];
  if (element === undefined) return [];
  return [2, most, most + 1, 3000].map((length) => ({
    what: `${length} elements`,
    raw: JSON.stringify(Array.from({ length }, () => element)),
  }));
}

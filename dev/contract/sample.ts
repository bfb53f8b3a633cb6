// Makes an event of nothing but its descriptor: the same bytes each time, and nothing in them that the contract refuses.
import { ScalarType, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import type { DeclaredEvent } from "./released.ts";

/** What a sample holds: every field, the deepest too; or only what the contract demands, as its leanest writer would. */
export type Fullness = "every field" | "what is required";

/** Numbers the fields of a sample, so that no two hold the same: fields that changed places would show. */
type Count = () => number;

/** Texts for a string field, besides its own name: the first that its rules accept is taken. */
const textsOf = (n: number): string[] => [
  `0198c3f2-7b1a-7c3e-9f10-${String(n).padStart(12, "0")}`,
  `ada${n}@example.com`,
  `+49151123456${n}`,
  "de-AT",
  "EUR",
];
/** Neither an int32 nor a double holds it. */
const BIG = 2n ** 53n + 1n;
/** 2026-01-02T03:04:05Z */
const SECONDS = 1_767_323_045n;

const validator = createValidator();

/** Throws where no content is known for a field. */
export function sampleOf({ message: desc, field: event }: DeclaredEvent, holds: Fullness): Message {
  const sample = reflect(desc);
  let fields = 0;
  const count = () => (fields += 1);
  if (holds === "every field") {
    for (const field of desc.fields) {
      if (field.oneof === undefined || field === event) fill(sample, field, count);
    }
  } else {
    if (event.message === undefined) throw new Error(`${String(event)} is no message.`);
    sample.set(event, reflect(event.message));
    for (const field of desc.fields) if (isRefused(sample, field)) fill(sample, field, count);
  }
  const { error } = validator.validate(desc, sample.message);
  if (error) throw new Error(`The sample of ${String(event)} is refused.`, { cause: error });
  return sample.message;
}

function filled(desc: DescMessage, count: Count): ReflectMessage {
  const message = reflect(desc);
  for (const field of desc.fields) {
    // Of a oneof only one can be set: its last, which is its newest.
    if (field.oneof === undefined || field === field.oneof.fields.at(-1))
      fill(message, field, count);
  }
  return message;
}

function fill(message: ReflectMessage, field: DescField, count: Count): void {
  switch (field.fieldKind) {
    case "message":
      return message.set(field, filled(field.message, count));
    case "enum":
      return message.set(field, field.enum.values.at(-1)?.number ?? 0);
    case "scalar":
      return message.set(field, scalarOf(message.desc, field, count()));
    case "list":
      if (field.listKind !== "message") break;
      return message.get(field).add(filled(field.message, count));
    case "map":
      break;
  }
  throw new Error(`No sample is known for ${String(field)}: teach one to dev/contract/sample.ts.`);
}

function scalarOf(desc: DescMessage, field: DescField & { fieldKind: "scalar" }, n: number) {
  const isTime = desc.typeName === "google.protobuf.Timestamp";
  switch (field.scalar) {
    case ScalarType.STRING:
      return textOf(desc, field, n);
    case ScalarType.BOOL:
      return true;
    case ScalarType.BYTES:
      return new Uint8Array([0, 255, n]);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return n + 0.5;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return (isTime ? SECONDS : BIG) + BigInt(n);
    default:
      return isTime ? n * 1_000_000 : 1000 + n;
  }
}

/** The field's name where its rules do not mind, else the first of the texts that they accept. */
function textOf(desc: DescMessage, field: DescField, n: number): string {
  const fits = [`${field.name} ${n}`, ...textsOf(n)].find((text) => {
    const alone = reflect(desc);
    alone.set(field, text);
    return !isRefused(alone, field);
  });
  if (fits !== undefined) return fits;
  throw new Error(`No text fits the rules of ${String(field)}: add one to dev/contract/sample.ts.`);
}

function isRefused(message: ReflectMessage, field: DescField): boolean {
  const verdict = validator.validate(message.desc, message.message);
  if (verdict.kind === "error") throw verdict.error;
  return (verdict.violations ?? []).some((violation) => violation.field[0] === field);
}

// Dotted field paths: resolved once against descriptors, then read and written without looking at them again.
import { type DescField, type DescMessage, type Message, create, equals } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";

/** Fields within each other in one path. */
const MAX_STEPS = 16;

export interface FieldPath {
  /** In proto names: `book.shelf_id`. */
  readonly names: string;
  /** In JSON names: `book.shelfId`. */
  readonly jsonNames: string;
  readonly parents: readonly (DescField & { readonly message: DescMessage })[];
  readonly leaf: DescField;
}

/** A message as Protobuf-ES lays it out: a property per field, and one per oneof. */
type Local = Record<string, unknown>;
type LocalOneof = { case?: string | undefined; value?: unknown };

const fieldsByName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** What a field, or a path of fields, may be called. */
const SPEAKABLE = /^[A-Za-z_][\w.[\]-]{0,299}$/;

/** A name that a caller made up, as it may be said in an answer: only what could be a field's name, so that no value is repeated. */
export const spoken = (name: string): string => (SPEAKABLE.test(name) ? name : "…");

/** The field of that JSON or proto name. */
export function fieldNamed(message: DescMessage, name: string): DescField | undefined {
  let fields = fieldsByName.get(message);
  if (fields === undefined) {
    fields = new Map(
      message.fields.flatMap((field) => [
        [field.jsonName, field] as const,
        [field.name, field] as const,
      ]),
    );
    fieldsByName.set(message, fields);
  }
  return fields.get(name);
}

/** The field at a path of JSON or proto names; undefined when there is none or a step is not a single plain message. */
export function resolveField(message: DescMessage, dotted: string): FieldPath | undefined {
  const names = dotted.split(".", MAX_STEPS + 1);
  const fields: DescField[] = [];
  const parents: FieldPath["parents"][number][] = [];
  let within: DescMessage | undefined = message;
  for (const name of names) {
    const field: DescField | undefined =
      within === undefined ? undefined : fieldNamed(within, name);
    if (field === undefined || fields.push(field) > MAX_STEPS) return undefined;
    within =
      field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message)
        ? field.message
        : undefined;
    if (fields.length < names.length && field.fieldKind === "message") parents.push(field);
  }
  const leaf = fields.at(-1);
  if (leaf === undefined) return undefined;
  return {
    names: fields.map((field) => field.name).join("."),
    jsonNames: fields.map((field) => field.jsonName).join("."),
    parents,
    leaf,
  };
}

/** The message that holds the leaf, made where it is missing. Undefined when a step is in a oneof with another member set. */
export function holderOf(message: Message, path: FieldPath): Message | undefined {
  let holder = message;
  for (const field of path.parents) {
    if (rivalOf(holder, field) !== undefined) return undefined;
    let inner = readField(holder, field);
    if (inner === undefined) {
      inner = create(field.message);
      writeField(holder, field, inner);
    }
    // The path was resolved through plain messages only.
    holder = inner as Message;
  }
  return holder;
}

/** The name of another member of the field's oneof that is set. */
export function rivalOf(holder: Message, field: DescField): string | undefined {
  if (field.oneof === undefined) return undefined;
  const set = (local(holder)[field.oneof.localName] as LocalOneof).case;
  return set === undefined || set === field.localName ? undefined : set;
}

export function readField(holder: Message, field: DescField): unknown {
  if (field.oneof === undefined) return local(holder)[field.localName];
  const oneof = local(holder)[field.oneof.localName] as LocalOneof;
  return oneof.case === field.localName ? oneof.value : undefined;
}

export function writeField(holder: Message, field: DescField, value: unknown): void {
  if (field.oneof === undefined) local(holder)[field.localName] = value;
  else local(holder)[field.oneof.localName] = { case: field.localName, value };
}

export function appendField(holder: Message, field: DescField, value: unknown): void {
  (local(holder)[field.localName] as unknown[]).push(value);
}

/** Whether two values of the field, as Protobuf-ES stores them, are the same. */
export function sameValue(field: DescField, one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return Buffer.compare(one, other) === 0;
  }
  if (field.message !== undefined && isMessage(one) && isMessage(other)) {
    return equals(field.message, one, other);
  }
  return Object.is(one, other);
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "$typeName" in value;
}

function local(message: Message): Local {
  return message as unknown as Local;
}

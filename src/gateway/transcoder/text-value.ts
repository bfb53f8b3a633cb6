// Reads the text of a path variable or query parameter as the value that its field stores.
import { base64Decode } from "@bufbuild/protobuf/wire";
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  ScalarType,
  create,
  fromJson,
} from "@bufbuild/protobuf";
import {
  DurationSchema,
  FieldMaskSchema,
  TimestampSchema,
  isWrapperDesc,
} from "@bufbuild/protobuf/wkt";

/** Returns undefined when the text is no value of the field. */
export type TextReader = (text: string) => unknown;

const MAX_FLOAT32 = 3.4028234663852886e38;
const DECIMAL = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}$/;
const DURATION = /^-?\d{1,12}(?:\.\d{1,9})?s$/;
const MASK_PATH = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

const readers = new WeakMap<DescField, TextReader | "none">();

/** The reader of one value of the field, made once; undefined for what has no form as text: messages, maps, Any. */
export function textReader(field: DescField): TextReader | undefined {
  const known = readers.get(field);
  if (known !== undefined) return known === "none" ? undefined : known;
  const reader = makeReader(field);
  readers.set(field, reader ?? "none");
  return reader;
}

function makeReader(field: DescField): TextReader | undefined {
  if (field.fieldKind === "map") return undefined;
  if (field.enum !== undefined) return enumReader(field.enum);
  if (field.message !== undefined) {
    // http.proto lets a query repeat primitive values only.
    return field.fieldKind === "list"
      ? undefined
      : messageReader(field.message, field.oneof !== undefined);
  }
  if (field.scalar === undefined) return undefined;
  return scalarReader(field.scalar, field.fieldKind === "scalar" && field.longAsString);
}

function scalarReader(scalar: ScalarType, longAsString: boolean): TextReader {
  switch (scalar) {
    case ScalarType.STRING:
      return (text) => text;
    case ScalarType.BOOL:
      return (text) => (text === "true" ? true : text === "false" ? false : undefined);
    case ScalarType.BYTES:
      return readBytes;
    case ScalarType.DOUBLE:
      return (text) => readFloat(text, Number.MAX_VALUE);
    case ScalarType.FLOAT:
      return (text) => readFloat(text, MAX_FLOAT32);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return (text) => toNumber(readInteger(text, -(2n ** 31n), 2n ** 31n));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return (text) => toNumber(readInteger(text, 0n, 2n ** 32n));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return (text) => toLong(readInteger(text, -(2n ** 63n), 2n ** 63n), longAsString);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return (text) => toLong(readInteger(text, 0n, 2n ** 64n), longAsString);
  }
}

function readInteger(text: string, least: bigint, beyond: bigint): bigint | undefined {
  if (!/^-?\d{1,20}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= least && value < beyond ? value : undefined;
}

function toNumber(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function toLong(value: bigint | undefined, asString: boolean): bigint | string | undefined {
  return asString && value !== undefined ? value.toString() : value;
}

function readFloat(text: string, greatest: number): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (text === "Infinity") return Infinity;
  if (text === "-Infinity") return -Infinity;
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Math.abs(value) <= greatest ? value : undefined;
}

function readBytes(text: string): Uint8Array | undefined {
  const digits = text.replace(/=+$/, "").length;
  return BASE64.test(text) && digits % 4 !== 1 ? base64Decode(text) : undefined;
}

function enumReader(values: DescEnum): TextReader {
  const byName = new Map(values.values.map((value) => [value.name, value.number]));
  return (text) => {
    const named = byName.get(text);
    if (named !== undefined) return named;
    const number = toNumber(readInteger(text, -(2n ** 31n), 2n ** 31n));
    if (number === undefined) return undefined;
    return values.open || values.value[number] !== undefined ? number : undefined;
  };
}

function messageReader(message: DescMessage, inOneof: boolean): TextReader | undefined {
  if (isWrapperDesc(message)) {
    const read = scalarReader(message.fields[0].scalar, false);
    // Protobuf-ES stores the bare value of a wrapper, but not within a oneof.
    if (!inOneof) return read;
    return (text) => {
      const value = read(text);
      return value === undefined ? undefined : Object.assign(create(message), { value });
    };
  }
  switch (message.typeName) {
    case TimestampSchema.typeName:
      return (text) => readJsonText(TimestampSchema, text);
    case DurationSchema.typeName:
      return (text) => (DURATION.test(text) ? readJsonText(DurationSchema, text) : undefined);
    case FieldMaskSchema.typeName:
      return readFieldMask;
    default:
      return undefined;
  }
}

function readJsonText(schema: DescMessage, text: string): unknown {
  try {
    return fromJson(schema, text);
  } catch {
    return undefined;
  }
}

/** Paths in JSON names or in proto names, as everywhere in a query. */
function readFieldMask(text: string): unknown {
  const paths = text === "" ? [] : text.split(",");
  if (!paths.every((path) => MASK_PATH.test(path))) return undefined;
  return create(FieldMaskSchema, {
    paths: paths.map((path) => path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
  });
}

// What a field takes, in words for the caller who gave it something else.
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

/** Names of an enum that are listed in full; beyond that the message would be longer than the documentation. */
const MAX_NAMES_LISTED = 16;

const INT32 = "a whole number from -2147483648 to 2147483647";
const UINT32 = "a whole number from 0 to 4294967295";
const INT64 = "a whole number of 64 bits, in a string";
const UINT64 = "a whole number of 64 bits that is not negative, in a string";

const SCALARS: Readonly<Record<ScalarType, string>> = {
  [ScalarType.BOOL]: "true or false",
  [ScalarType.STRING]: "a string",
  [ScalarType.BYTES]: "bytes in base64",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number of 32 bits",
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
};

const WELL_KNOWN: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": "a time such as 2030-01-31T09:30:00Z",
  "google.protobuf.Duration": "a duration in seconds such as 1.5s",
  "google.protobuf.FieldMask": "field paths separated by commas",
  "google.protobuf.Any": 'an object with a known "@type"',
};

/** One value of the field: for a list or a map, one of its values. "a whole number from 0 to 4294967295" */
export function expectationOf(field: DescField): string {
  if (field.message !== undefined) return expectationOfMessage(field.message);
  if (field.enum !== undefined) return expectationOfEnum(field.enum);
  return field.scalar === undefined ? "a value" : SCALARS[field.scalar];
}

function expectationOfMessage(message: DescMessage): string {
  if (isWrapperDesc(message)) return expectationOf(message.fields[0]);
  return WELL_KNOWN[message.typeName] ?? "an object";
}

function expectationOfEnum(values: DescEnum): string {
  if (values.values.length > MAX_NAMES_LISTED) return `a name of ${values.name}`;
  return `one of ${values.values.map((value) => value.name).join(", ")}`;
}

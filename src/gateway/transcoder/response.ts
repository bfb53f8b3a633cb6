// Writes the response message of an RPC as the JSON body of the answer.
import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  create,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";

export type ResponseWriter = (message: Message) => string;

/** Writes the whole message, or only the field that `response_body` names. */
export function responseWriter(
  output: DescMessage,
  field: DescField | undefined,
  registry: Registry | undefined,
): ResponseWriter {
  const options = registry === undefined ? {} : { registry };
  if (field === undefined) return (message) => toJsonString(output, message, options);
  const absent = JSON.stringify(absentValue(output, field));
  return (message) => {
    // A message that is a well-known type is no object, but no RPC picks a field out of one.
    const value = (toJson(output, message, options) as JsonObject)[field.jsonName];
    return value === undefined ? absent : JSON.stringify(value);
  };
}

/** What a field is in JSON when ProtoJSON leaves it out. */
function absentValue(output: DescMessage, field: DescField): JsonValue {
  const defaults = toJson(output, create(output), { alwaysEmitImplicit: true }) as JsonObject;
  const value = defaults[field.jsonName];
  if (value !== undefined) return value;
  const plain = field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message);
  return plain ? {} : null;
}

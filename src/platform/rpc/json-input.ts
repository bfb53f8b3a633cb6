// Reads requests in JSON strictly, and says which field does not fit without repeating what it holds.
import {
  fromJson,
  fromJsonString,
  type DescField,
  type DescMessage,
  type JsonValue,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.js";

type JsonOptions = NonNullable<NonNullable<Parameters<ConnectRouter["service"]>[2]>["jsonOptions"]>;
type JsonObject = { readonly [name: string]: JsonValue };

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** What may be said of a name that somebody made up: only what could be a field's. */
const NAME = /^[A-Za-z_]\w{0,99}$/;
/** Where V8 says that a text stops being JSON; the rest of its words would repeat the text. */
const POSITION = /\(line \d+ column \d+\)/;
const TWICE = /duplicate object key "([A-Za-z_]\w{0,99})"/;

/**
 * The router, reading JSON so: in Connect, gRPC and gRPC-Web alike. Connect's own reading ignores fields that there are not, and
 * answers with the words of the decoder, which hold the value and parts of the text around it.
 */
export const readingJsonStrictly = (
  router: ConnectRouter,
  jsonOptions: JsonOptions,
): ConnectRouter => ({
  ...router,
  service(service, implementation, options) {
    for (const method of service.methods) {
      // Connect decodes the bytes with this before it reads the message: what it throws is the answer.
      const decoding = { ...jsonOptions, textDecoder: { decode: textOf(method.input) } };
      const one = { ...service, methods: [method], method: { [method.localName]: method } };
      router.service(one, implementation, { ...options, jsonOptions: decoding });
    }
    return this;
  },
});

/** The text of a request that the decoder will take. @throws ConnectError that names the field */
const textOf =
  (input: DescMessage) =>
  (bytes: Uint8Array): string => {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      throw new ConnectError("The request is not valid UTF-8.", Code.InvalidArgument);
    }
    try {
      fromJsonString(input, text);
      return text;
    } catch (error) {
      throw diagnosed(input, text, error);
    }
  };

function diagnosed(input: DescMessage, text: string, error: unknown): ConnectError {
  const words = error instanceof Error ? error.message : "";
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch {
    const where = POSITION.exec(words)?.[0] ?? "";
    return new ConnectError(`The request is not valid JSON. ${where}`.trim(), Code.InvalidArgument);
  }
  const twice = TWICE.exec(words)?.[1];
  return twice === undefined
    ? refused(...faultIn(input, json, ""))
    : refused(twice, "is given twice");
}

function refused(field: string, description: string): ConnectError {
  const value = { fieldViolations: [{ field, description, reason: "JSON" }] };
  const words = field === "" ? `The request ${description}.` : `${field}: ${description}`;
  return new ConnectError(words, Code.InvalidArgument, undefined, [
    { desc: BadRequestSchema, value },
  ]);
}

type Fault = readonly [field: string, description: string];

/** The first field of a message that does not fit: the decoder itself is the judge. */
function faultIn(message: DescMessage, json: JsonValue, path: string): Fault {
  if (!isObject(json)) return [path, "must be an object"];
  for (const [name, value] of Object.entries(json)) {
    const field = message.fields.find((one) => one.jsonName === name || one.name === name);
    const at = (path === "" ? "" : `${path}.`) + (field?.name ?? (NAME.test(name) ? name : "…"));
    if (field === undefined) return [at, "is not a field of the request"];
    if (!decodes(message, { [name]: value })) return faultOf(message, field, { name, value, at });
  }
  return [path, "gives more than one field of a oneof, or one by two names"];
}

interface Given {
  readonly name: string;
  readonly value: JsonValue;
  readonly at: string;
}

function faultOf(message: DescMessage, field: DescField, { name, value, at }: Given): Fault {
  if (field.fieldKind === "list") {
    if (!Array.isArray(value)) return [at, "must be an array"];
    const index = value.findIndex((item: JsonValue) => !decodes(message, { [name]: [item] }));
    return within(field, value[index] ?? null, `${at}[${index}]`);
  }
  return field.fieldKind === "map" ? [at, "does not fit its type"] : within(field, value, at);
}

const within = (field: DescField, value: JsonValue, at: string): Fault =>
  field.message !== undefined && !hasCustomJsonRepresentation(field.message)
    ? faultIn(field.message, value, at)
    : [at, "does not fit its type"];

function decodes(message: DescMessage, json: JsonObject): boolean {
  try {
    fromJson(message, json);
    return true;
  } catch {
    return false;
  }
}

const isObject = (value: JsonValue): value is { [name: string]: JsonValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

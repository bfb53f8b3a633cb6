// A small contract with everything in it that a transcoder meets, made of descriptors for the tests.
import {
  type DescMessage,
  type DescService,
  type Message,
  type MessageInitShape,
  create,
  createFileRegistry,
  setExtension,
} from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { http } from "../../../gen/google/api/annotations_pb.js";
import { HttpRuleSchema } from "../../../gen/google/api/http_pb.js";
import {
  type Answer,
  type Transcoder,
  type TranscoderOptions,
  createTranscoder,
} from "./transcoder.ts";

type Rule = MessageInitShape<typeof HttpRuleSchema> & { responseBody?: string };

const SCALARS: Readonly<Record<string, Type>> = {
  double: Type.DOUBLE,
  float: Type.FLOAT,
  int32: Type.INT32,
  int64: Type.INT64,
  uint32: Type.UINT32,
  uint64: Type.UINT64,
  sint32: Type.SINT32,
  sint64: Type.SINT64,
  fixed32: Type.FIXED32,
  fixed64: Type.FIXED64,
  sfixed32: Type.SFIXED32,
  sfixed64: Type.SFIXED64,
  bool: Type.BOOL,
  string: Type.STRING,
  bytes: Type.BYTES,
};
const WKT = ".google.protobuf.";

/** Fields are numbered in order: "repeated string tags", ".bookshop.Book book", "enum .bookshop.Genre genre". */
function message(
  name: string,
  fields: string,
  oneof: readonly string[] = [],
): MessageInitShape<typeof DescriptorProtoSchema> {
  const lines = fields.split(",").map((line) => line.trim().split(/\s+/));
  return {
    name,
    oneofDecl: oneof.length === 0 ? [] : [{ name: "choice" }],
    field: lines.map((words, index) => fieldOf(words, index + 1, oneof)),
  };
}

function fieldOf(words: readonly string[], number: number, oneof: readonly string[]) {
  const repeated = words[0] === "repeated";
  const [type = "", name = ""] = words.slice(repeated ? 1 : 0);
  return {
    name,
    jsonName: protoCamelCase(name),
    number,
    label: repeated ? Label.REPEATED : Label.OPTIONAL,
    type: SCALARS[type] ?? (type === ".bookshop.Genre" ? Type.ENUM : Type.MESSAGE),
    ...(type.startsWith(".") ? { typeName: type } : {}),
    ...(oneof.includes(name) ? { oneofIndex: 0 } : {}),
  };
}

function rpc(
  name: string,
  input: string,
  rule: Rule,
): MessageInitShape<typeof MethodDescriptorProtoSchema> {
  const { responseBody, ...known } = rule;
  const httpRule = create(HttpRuleSchema, known);
  if (responseBody !== undefined) {
    const text = new TextEncoder().encode(responseBody);
    httpRule.$unknown = [{ no: 12, wireType: 2, data: Uint8Array.of(text.length, ...text) }];
  }
  const options = create(MethodOptionsSchema);
  setExtension(options, http, httpRule);
  return { name, inputType: `.bookshop.${input}`, outputType: ".bookshop.Book", options };
}

const messages = [
  message("Author", "string display_name, repeated string awards, .bookshop.Author mentor"),
  message(
    "Book",
    `string name, string title, .bookshop.Author author, repeated .bookshop.Author editors, .bookshop.Genre genre,
     int64 price, repeated string tags, ${WKT}Timestamp publish_time, string isbn, int32 shelf_number`,
    ["isbn", "shelf_number"],
  ),
  message(
    "Values",
    `double a_double, float a_float, int32 an_int32, int64 an_int64, uint32 a_uint32, uint64 a_uint64, sint32 a_sint32,
     sint64 a_sint64, fixed32 a_fixed32, fixed64 a_fixed64, sfixed32 a_sfixed32, sfixed64 a_sfixed64, bool a_bool,
     string a_string, bytes some_bytes, .bookshop.Genre genre, ${WKT}Timestamp a_time, ${WKT}Duration a_duration,
     ${WKT}FieldMask a_mask, ${WKT}Int64Value a_long, ${WKT}StringValue a_text, ${WKT}BoolValue a_flag,
     ${WKT}BytesValue a_blob, repeated int32 numbers, repeated .bookshop.Genre genres, repeated .bookshop.Author authors,
     .bookshop.Author author, ${WKT}StringValue one, string other`,
    ["one", "other"],
  ),
  message(
    "BookRequest",
    "string name, .bookshop.Book book, bool force, repeated string tags, int64 price",
  ),
];

/** A service `bookshop.Library` of these RPCs; each takes a BookRequest or what `input` names, and returns a Book. */
export function libraryWith(
  rpcs: Readonly<Record<string, Rule & { input?: string }>>,
  change: (methods: MessageInitShape<typeof MethodDescriptorProtoSchema>[]) => void = () =>
    undefined,
): DescService {
  const method = Object.entries(rpcs).map(([name, { input = "BookRequest", ...rule }]) =>
    rpc(name, input, rule),
  );
  change(method);
  const needs = [
    file_google_protobuf_duration,
    file_google_protobuf_field_mask,
    file_google_protobuf_timestamp,
    file_google_protobuf_wrappers,
  ];
  const file = create(FileDescriptorProtoSchema, {
    name: "bookshop.proto",
    package: "bookshop",
    syntax: "proto3",
    dependency: needs.map((needed) => needed.proto.name),
    messageType: messages,
    enumType: [
      {
        name: "Genre",
        value: [
          { name: "GENRE_UNSPECIFIED", number: 0 },
          { name: "POETRY", number: 1 },
          { name: "CRIME", number: 2 },
        ],
      },
    ],
    service: [{ name: "Library", method }],
  });
  const files = create(FileDescriptorSetSchema, {
    file: [...needs.map((needed) => needed.proto), file],
  });
  const service = createFileRegistry(files).getService("bookshop.Library");
  if (service === undefined) throw new Error("the fixture has no service");
  return service;
}

/** A message type of the fixture. */
export function libraryMessage(name: string): DescMessage {
  const found = libraryWith({}).file.messages.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`the fixture has no ${name}`);
  return found;
}

/** A transcoder whose RPCs remember what they were called with and answer an empty message. */
export function recording(
  services: readonly DescService[],
  options: Partial<TranscoderOptions> = {},
): {
  transcoder: Transcoder;
  calls: { rpc: string; request: Message; headers: Headers; timeoutMs: number | undefined }[];
} {
  const calls: ReturnType<typeof recording>["calls"] = [];
  const transcoder = createTranscoder({
    services,
    maxBodyBytes: 1_000_000,
    invoke: (method, request, call): Promise<Answer> => {
      calls.push({ rpc: method.name, request, headers: call.headers, timeoutMs: call.timeoutMs });
      return Promise.resolve({ message: create(method.output) });
    },
    ...options,
  });
  return { transcoder, calls };
}

export interface Asked {
  readonly method?: string;
  readonly url: string;
  readonly json?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks as an HTTP client would; the answer's body is parsed. */
export async function ask(transcoder: Transcoder, asked: Asked) {
  const body = asked.json === undefined ? undefined : new TextEncoder().encode(asked.json);
  const headers = new Headers({
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...asked.headers,
  });
  const answer = await transcoder.handle({
    method: asked.method ?? (body === undefined ? "GET" : "POST"),
    rawUrl: asked.url,
    headers,
    body,
    signal: new AbortController().signal,
    requestId: "request-1",
  });
  const text = String(answer.body);
  const json = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, text, json };
}

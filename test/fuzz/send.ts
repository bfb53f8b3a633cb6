// The ways in: JSON over the gateway's routes, JSON of Connect and binary gRPC to the service itself.
import { fromJsonString, getOption, toBinary, type DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { http } from "../../gen/google/api/annotations_pb.js";
import { at, type Json } from "./spots.ts";
import type { Target } from "./targets.ts";

const ANSWER_WITHIN_MS = 15_000;
/** Of an envelope of Connect's streams: a flag and a length. */
const ENVELOPE_BYTES = 5;

export interface Told {
  /** "ok", or the code as Connect spells it: "invalid_argument". */
  readonly code: string;
  /** Everything that was answered. */
  readonly text: string;
  /** Whether this way says other things than the text: in a URL every value is a text, and none is given twice. */
  readonly differs?: boolean;
}

export type Way = "REST" | "Connect" | "gRPC";

/** Sends the request's text; undefined where this way cannot carry it. */
export type Send = (target: Target, text: string) => Promise<Told | undefined>;

export const WAYS: Readonly<Record<Way, Send>> = {
  REST: overRest,
  Connect: overConnect,
  gRPC: async (target, text) => {
    const bytes = bytesOf(target.method, text);
    return bytes === undefined ? undefined : await overGrpc(target, bytes);
  },
};

const headersOf = ({ token }: Target, type: string) => ({
  authorization: `Bearer ${token}`,
  "content-type": type,
});

/** The route of the contract: a path, with the fields in it taken out of the body, or all fields in the query. */
async function overRest(target: Target, text: string): Promise<Told | undefined> {
  const { pattern } = getOption(target.method, http);
  if (target.method.methodKind !== "unary") return undefined;
  if (pattern.case === undefined || pattern.case === "custom") return undefined;
  const method = pattern.case.toUpperCase();
  const template: string = pattern.value;
  const inPath = target.method.input.fields.filter(({ name }) => template.includes(`{${name}}`));
  if (method !== "GET" && inPath.length === 0) {
    const headers = headersOf(target, "application/json");
    const url = `${target.gateway}${template}`;
    return await fetched(url, { method, headers, body: text });
  }
  const json = parsed(text);
  if (json === undefined) return undefined;
  let path = template;
  const rest = { ...json };
  for (const { name, jsonName } of inPath) {
    const value = uriPart(json[jsonName]);
    if (value === undefined || value === "") return undefined;
    path = path.replace(`{${name}}`, () => value);
    Reflect.deleteProperty(rest, jsonName);
  }
  const told = await (method === "GET"
    ? overQuery(target, path, rest)
    : fetched(`${target.gateway}${path}`, {
        method,
        headers: headersOf(target, "application/json"),
        body: JSON.stringify(rest),
      }));
  return told && { ...told, differs: true };
}

/** Undefined for what a query cannot say. */
async function overQuery(target: Target, path: string, json: Json): Promise<Told | undefined> {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(json)) {
    for (const one of [value].flat()) {
      const part = uriPart(one);
      if (part === undefined) return undefined;
      pairs.push(`${encodeURIComponent(name)}=${part}`);
    }
  }
  const headers = { authorization: `Bearer ${target.token}` };
  return await fetched(`${target.gateway}${path}?${pairs.join("&")}`, { headers });
}

/** Undefined for what a URL cannot say: objects, nothing, and texts that are not well-formed. */
function uriPart(value: unknown): string | undefined {
  if (typeof value === "object" || value === undefined) return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.isWellFormed() ? encodeURIComponent(text) : undefined;
}

async function fetched(url: string, init: RequestInit): Promise<Told> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  const text = await answer.text();
  if (answer.status === 200) return { code: "ok", text };
  const code = at(parsed(text), ["code"]);
  return { code: typeof code === "string" ? code : `HTTP ${answer.status}`, text };
}

async function overConnect(target: Target, text: string): Promise<Told> {
  const url = `${target.service}/${target.method.parent.typeName}/${target.method.name}`;
  if (target.method.methodKind === "unary") {
    const headers = headersOf(target, "application/json");
    return await fetched(url, { method: "POST", headers, body: text });
  }
  const body = Buffer.from(text);
  const head = Buffer.alloc(ENVELOPE_BYTES);
  head.writeUInt32BE(body.length, 1);
  const leave = new AbortController();
  const answer = await fetch(url, {
    method: "POST",
    headers: headersOf(target, "application/connect+json"),
    body: Buffer.concat([head, body]),
    signal: AbortSignal.any([leave.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  });
  const first = await answer.body?.getReader().read();
  leave.abort();
  const told = Buffer.from(first?.value ?? [])
    .subarray(ENVELOPE_BYTES)
    .toString();
  const code = at(parsed(told), ["error", "code"]);
  return { code: typeof code === "string" ? code : "ok", text: told };
}

/** The request in the binary format; undefined where it has no such form. */
function bytesOf(method: DescMethod, text: string): Uint8Array | undefined {
  try {
    return toBinary(
      method.input,
      fromJsonString(method.input, text, { ignoreUnknownFields: true }),
    );
  } catch {
    return undefined;
  }
}

const clients = new Map<string, Client>();

/** The connections are kept until `closeGrpc`. */
export async function overGrpc(target: Target, bytes: Uint8Array): Promise<Told> {
  const { host } = new URL(target.service);
  const client = clients.get(host) ?? new Client(host, credentials.createInsecure());
  clients.set(host, client);
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${target.token}`);
  const { promise, resolve } = Promise.withResolvers<Told>();
  const stream = client.makeServerStreamRequest(
    `/${target.method.parent.typeName}/${target.method.name}`,
    (request: Uint8Array) => Buffer.from(request),
    (answer: Buffer) => answer,
    bytes,
    metadata,
    { deadline: Date.now() + ANSWER_WITHIN_MS },
  );
  stream.once("data", () => {
    resolve({ code: "ok", text: "" });
    if (target.method.methodKind !== "unary") stream.cancel();
  });
  stream.on("error", (error: ServiceError) => {
    const details = error.metadata?.get("grpc-status-details-bin") ?? [];
    const text = `${error.details} ${details.map(String).join(" ")}`;
    resolve({ code: codeToString(error.code as number as Code), text });
  });
  return await promise;
}

export function closeGrpc(): void {
  for (const client of clients.values()) client.close();
  clients.clear();
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    // A nesting that cannot be written again cannot be sent in parts.
    JSON.stringify(value);
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined; // it is not meant to be JSON
  }
}

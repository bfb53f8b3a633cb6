// The HTTP rules of a contract, served: finds the RPC of a request, builds its message, and answers in ProtoJSON.
import type { IncomingHttpHeaders } from "node:http";
import type { DescMethodUnary, DescService, Message, Registry } from "@bufbuild/protobuf";
import { type Binding, bindingsOf } from "./binding.ts";
import { type DeadlineLimits, timeoutOf } from "./deadline.ts";
import { HttpRuleError, TranscoderError } from "./error.ts";
import { checkPath } from "./percent.ts";
import { problemOf } from "./problem.ts";
import { buildRequest } from "./request.ts";
import { type ResponseWriter, responseWriter } from "./response.ts";
import { type Match, RouteTrie } from "./trie.ts";

export interface Call {
  /** All headers of the HTTP request; which of them go on is up to `invoke`. */
  readonly headers: Headers;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
  /** What the caller is willing to wait, in milliseconds. */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly message: Message;
  readonly header?: Headers;
  readonly trailer?: Headers;
}

export interface TranscoderOptions extends DeadlineLimits {
  readonly services: readonly DescService[];
  /** Calls the RPC. What it throws is answered as a problem: a ConnectError by its code and details, the rest as 500. */
  readonly invoke: (method: DescMethodUnary, request: Message, call: Call) => Promise<Answer>;
  readonly maxBodyBytes: number;
  /** Fills in what the caller may leave out, such as a request ID from a header. May throw a TranscoderError. */
  readonly requestDefaults?: (method: DescMethodUnary, request: Message, headers: Headers) => void;
  /** Types that google.protobuf.Any may hold. */
  readonly registry?: Registry;
  /** Headers of the RPC's answer that the HTTP answer repeats, in lower case. */
  readonly responseHeaders?: readonly string[];
  /** Hears every error whose own words the caller is not told: bugs, and services that cannot be reached. */
  readonly onWithheld?: (error: unknown, requestId: string) => void;
}

/** @public */
export interface TranscoderRequest {
  readonly method: string;
  /** Path and query as they came, undecoded. */
  readonly rawUrl: string;
  readonly headers: Headers | IncomingHttpHeaders;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
  readonly requestId: string;
}

/** @public */
export interface TranscoderResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string;
}

/** @public */
export interface Route {
  readonly httpMethod: string;
  readonly template: string;
  /** "waybill.order.v1.OrderService/GetOrder" */
  readonly rpc: string;
}

export interface Transcoder {
  readonly routes: readonly Route[];
  /** Answers the request; never rejects. */
  handle(request: TranscoderRequest): Promise<TranscoderResponse>;
}

interface Target extends Binding {
  readonly write: ResponseWriter;
}

/**
 * Compiles the HTTP rules of the services.
 * @throws {HttpRuleError} when a rule is wrong, or two rules answer the same requests (both are named).
 */
export function createTranscoder(options: TranscoderOptions): Transcoder {
  const trie = new RouteTrie<Target>();
  const bindings = options.services.flatMap(bindingsOf);
  for (const binding of bindings) addRoute(trie, binding, options.registry);
  return {
    routes: bindings.map(({ httpMethod, template, rpc }) => ({
      httpMethod,
      template: template.source,
      rpc,
    })),
    handle: async (request) => {
      const found: Found = {};
      try {
        const headers = headersOf(request.headers);
        const response = await answer(trie, options, { ...request, headers }, found);
        return request.method === "HEAD" ? withoutBody(response) : response;
      } catch (error) {
        const problem = problemOf(error, request.requestId, found.target?.method.input);
        if (problem.withheld) options.onWithheld?.(error, request.requestId);
        const response = {
          status: problem.status,
          headers: { ...problem.headers },
          body: problem.body,
        };
        return request.method === "HEAD" ? withoutBody(response) : response;
      }
    },
  };
}

function addRoute(trie: RouteTrie<Target>, binding: Binding, registry: Registry | undefined): void {
  const write = responseWriter(binding.method.output, binding.responseField, registry);
  const taken = trie.add(binding.httpMethod, binding.template, { ...binding, write });
  if (taken === undefined) return;
  throw new HttpRuleError(
    `${binding.httpMethod} ${binding.template.source} of ${binding.rpc} answers the same requests as ` +
      `${taken.httpMethod} ${taken.template.source} of ${taken.rpc}`,
  );
}

/** The route of a request, known to the error path once it was found. */
interface Found {
  target?: Target;
}

async function answer(
  trie: RouteTrie<Target>,
  options: TranscoderOptions,
  request: TranscoderRequest & { readonly headers: Headers },
  found: Found,
): Promise<TranscoderResponse> {
  const { path, query } = splitUrl(request.rawUrl);
  checkPath(path);
  const match = trie.find(methodsFor(request.method), path);
  if (match.kind !== "found") return refuseRoute(request.method, match);

  const target = (found.target = match.route);
  const message = buildRequest(target, match.segments, query, {
    headers: request.headers,
    bytes: request.body,
    maxBytes: options.maxBodyBytes,
    registry: options.registry,
  });
  options.requestDefaults?.(target.method, message, request.headers);
  const timeoutMs = timeoutOf(request.headers, options);
  if (timeoutMs !== undefined && timeoutMs <= 0) {
    throw new TranscoderError("deadline_exceeded", "The caller's deadline has passed.");
  }
  const { message: response, header } = await options.invoke(target.method, message, {
    headers: request.headers,
    signal: request.signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return {
    status: 200,
    headers: { ...repeated(header, options.responseHeaders), "content-type": "application/json" },
    body: target.write(response),
  };
}

/** HEAD is answered like GET where no rule says otherwise. */
function methodsFor(method: string): readonly string[] {
  return method === "HEAD" ? ["HEAD", "GET"] : [method];
}

function refuseRoute(
  method: string,
  match: Exclude<Match<Target>, { kind: "found" }>,
): TranscoderResponse {
  if (match.kind === "none") throw new TranscoderError("not_found", "There is no such route.");
  const allowed = new Set([...match.allowed, "OPTIONS"]);
  if (allowed.has("GET")) allowed.add("HEAD");
  const allow = [...allowed].toSorted().join(", ");
  if (method === "OPTIONS") return { status: 204, headers: { allow }, body: "" };
  throw new TranscoderError("unimplemented", `The route takes ${allow}, not ${method}.`, {
    status: 405,
    headers: { allow },
  });
}

/** Also takes the absolute form that a proxy sends. */
function splitUrl(rawUrl: string): { path: string; query: string } {
  const local = rawUrl.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
  const mark = local.indexOf("?");
  if (mark === -1) return { path: local === "" ? "/" : local, query: "" };
  return { path: mark === 0 ? "/" : local.slice(0, mark), query: local.slice(mark + 1) };
}

function headersOf(headers: Headers | IncomingHttpHeaders): Headers {
  if (headers instanceof Headers) return headers;
  const copy = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // The pseudo headers of HTTP/2 start with a colon.
    if (value === undefined || name.startsWith(":")) continue;
    for (const one of [value].flat()) copy.append(name, one);
  }
  return copy;
}

function repeated(
  header: Headers | undefined,
  names: readonly string[] = [],
): Record<string, string> {
  const pairs = names.flatMap((name) => {
    const value = header?.get(name);
    return value === null || value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

function withoutBody(response: TranscoderResponse): TranscoderResponse {
  const length = Buffer.byteLength(response.body);
  return {
    ...response,
    headers: { ...response.headers, "content-length": String(length) },
    body: "",
  };
}

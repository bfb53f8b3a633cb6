// JSON over plain HTTP, by the google.api.http rules of the contract. No route is written here: the transcoder reads them all.
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { permit } from "../platform/access/permit.ts";
import type { TokenVerifier } from "../platform/access/token.ts";
import type { Log } from "../platform/log.ts";
import { toConnectError } from "../platform/rpc/errors.ts";
import { REQUEST_ID_HEADER, TRACEPARENT_HEADER, traceOf } from "../platform/rpc/tracing.ts";
import { currentTrace, runInTrace } from "../platform/trace.ts";
import { fillRequestId } from "./request-id.ts";
import { nodeHandler } from "./transcoder/node.ts";
import { createTranscoder, type Call, type Transcoder } from "./transcoder/transcoder.ts";
import { DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS, type Upstream } from "./upstream.ts";

export interface RestParts {
  readonly upstream: Upstream;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  readonly bodyLimitBytes: number;
}

export function createRest(parts: RestParts): Transcoder {
  const { log } = parts;
  return createTranscoder({
    services: parts.upstream.services,
    maxBodyBytes: parts.bodyLimitBytes,
    defaultTimeoutMs: DEFAULT_TIMEOUT_MS,
    maxTimeoutMs: MAX_TIMEOUT_MS,
    invoke: async (method, request, call) => {
      const startedAt = performance.now();
      const write = (code: string) =>
        log.info(
          {
            rpc: `${method.parent.typeName}/${method.name}`,
            code,
            durationMs: Math.round(performance.now() - startedAt),
          },
          "call",
        );
      try {
        const answer = await invoke(parts, method, request, call);
        write("ok");
        return answer;
      } catch (error) {
        const told = toConnectError(error, log, { passOn: true });
        write(codeToString(told.code));
        throw told;
      }
    },
    onWithheld: (error, requestId) =>
      log.warn({ error, requestId }, "an error whose words the caller does not see"),
  });
}

async function invoke(
  { upstream, verifier }: RestParts,
  method: DescMethodUnary,
  request: Message,
  call: Call,
) {
  const principal = await verifier.verify(call.headers.get("authorization"));
  permit(method, principal);
  fillRequestId(method, request, call.headers);
  return await upstream.call(method, request, call);
}

export interface RestRoutes {
  /** Every request that is no RPC's and no other route's: the transcoder knows what to say to an unknown path, too. */
  readonly routes: (app: FastifyInstance) => void;
  /** A request whose URL Fastify cannot read. */
  readonly malformed: (error: Error, request: FastifyRequest, reply: FastifyReply) => void;
}

export function restRoutes(rest: Transcoder, maxBodyBytes: number): RestRoutes {
  const requestId = () => currentTrace()?.requestId ?? "";
  const handle = nodeHandler(rest, { maxBodyBytes, requestId });
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const trace = traceOf(new Headers(namedHeaders(request)));
    // What the hooks want to say goes along: the transcoder writes to Node's response itself.
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.raw.setHeader(REQUEST_ID_HEADER, trace.requestId);
    void reply.hijack();
    await runInTrace(trace, () => handle(request.raw, reply.raw));
  };
  return {
    routes: (app) => {
      app.removeAllContentTypeParsers();
      app.addContentTypeParser("*", (_request, _body, done) => done(null));
      // OPTIONS comes by the not-found handler: the CORS plugin has a route for it, and hands on what is no preflight.
      const methods = app.supportedMethods.filter((method) => method !== "OPTIONS");
      app.route({ method: methods, url: "*", handler: answer });
      app.setNotFoundHandler(answer);
    },
    malformed: (_error, request, reply) => void answer(request, reply),
  };
}

/** The headers that name the request and its trace. */
const namedHeaders = ({ headers }: FastifyRequest): [string, string][] =>
  [REQUEST_ID_HEADER, TRACEPARENT_HEADER].map((name) => [name, [headers[name]].flat().join(", ")]);

// JSON over plain HTTP, by the google.api.http rules of the contract. No route is written here: the transcoder reads them all.
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { permit } from "../platform/access/permit.ts";
import type { TokenVerifier } from "../platform/access/token.ts";
import type { Log } from "../platform/log.ts";
import { toConnectError } from "../platform/rpc/errors.ts";
import { REQUEST_ID_HEADER, traceOf } from "../platform/rpc/tracing.ts";
import { runInTrace } from "../platform/trace.ts";
import { fillRequestId } from "./request-id.ts";
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
    onWithheld: (error, requestId) => log.warn({ error, requestId }, "an error whose words the caller does not see"),
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

/** Every request that is no RPC's and no other route's goes to the transcoder: it knows what to say to an unknown path, too. */
export const restRoutes = (rest: Transcoder, limitBytes: number) => (app: FastifyInstance) => {
  app.removeAllContentTypeParsers();
  // One byte over the limit is enough for the transcoder to say so.
  app.addContentTypeParser(
    "*",
    { parseAs: "buffer", bodyLimit: limitBytes + 1 },
    (_request, body, done) => done(null, body),
  );
  app.all("*", (request, reply) => answer(rest, request, reply));
};

async function answer(
  rest: Transcoder,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const headers = headersOf(request);
  const trace = traceOf(headers);
  const gone = new AbortController();
  request.raw.socket.once("close", () => gone.abort());
  const response = await runInTrace(trace, () =>
    rest.handle({
      method: request.method,
      rawUrl: request.raw.url ?? "/",
      headers,
      body: Buffer.isBuffer(request.body) ? request.body : undefined,
      signal: gone.signal,
      requestId: trace.requestId,
    }),
  );
  return reply
    .code(response.status)
    .headers({ ...response.headers, [REQUEST_ID_HEADER]: trace.requestId })
    .send(response.body);
}

function headersOf(request: FastifyRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

// A plain HTTP route that takes the raw bytes of a POST: a webhook's signature is over bytes, not over what they mean.
import { STATUS_CODES } from "node:http";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../log.ts";
import { runInTrace } from "../trace.ts";
import { toConnectError } from "./errors.ts";
import { traceOf } from "./tracing.ts";

/** What a webhook can be told. A provider sends again what was answered with 5xx. */
const STATUS: Partial<Record<Code, number>> = {
  [Code.InvalidArgument]: 400,
  [Code.Unavailable]: 503,
};

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

export interface RawPost {
  readonly limitBytes: number;
  readonly log: Log;
  /** Answers 204, or what is returned. A Refusal is answered as a problem (RFC 9457); a passing failure with 503, so that it is sent again. */
  readonly handle: (body: Buffer, header: (name: string) => string) => Promise<RawAnswer | void>;
}

export const rawPost =
  (path: string, o: RawPost) =>
  (app: FastifyInstance): void => {
    // In a scope of its own: the other routes of this port parse their bodies as they like.
    void app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser(
        "*",
        { parseAs: "buffer", bodyLimit: o.limitBytes },
        (_request, body, parsed) => parsed(null, body),
      );
      scope.setErrorHandler((error: FastifyError, _request, reply) => {
        const tooLarge = error.statusCode === 413;
        if (!tooLarge) o.log.error({ error }, "a webhook could not be read");
        void problem(reply, {
          status: tooLarge ? 413 : 400,
          detail: tooLarge
            ? `The body is larger than ${o.limitBytes} bytes.`
            : "The body could not be read.",
          code: tooLarge ? "resource_exhausted" : "invalid_argument",
        });
      });
      scope.post(path, (request, reply) => answer(o, request, reply));
      done();
    });
  };

async function answer(
  o: RawPost,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const header = (name: string) => [request.headers[name]].flat().join(", ");
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const trace = traceOf(
    new Headers({ "x-request-id": header("x-request-id"), traceparent: header("traceparent") }),
  );
  try {
    const answered = await runInTrace(trace, () => o.handle(body, header));
    if (answered === undefined) return await reply.code(204).send();
    return await reply.code(answered.status).type(answered.contentType).send(answered.body);
  } catch (error) {
    const told = toConnectError(error, o.log);
    const status = STATUS[told.code] ?? 500;
    return await problem(reply, { status, detail: told.rawMessage, code: codeToString(told.code) });
  }
}

const problem = (
  reply: FastifyReply,
  { status, ...words }: { readonly status: number; readonly detail: string; readonly code: string },
): FastifyReply =>
  reply
    .code(status)
    .type("application/problem+json")
    .send(
      JSON.stringify({
        type: "about:blank",
        title: STATUS_CODES[status] ?? "Error",
        status,
        ...words,
      }),
    );

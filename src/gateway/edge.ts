// What stands before every request on the gateway's port: who may come, how often, and what an answer must say to browsers.
import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TokenVerifier } from "../platform/access/token.ts";
import type { GatewayConfig } from "./config.ts";

const WINDOW_MS = 1000;
/** The headers of an answer that a page may read. */
const CORS_EXPOSED = [
  "x-request-id",
  "retry-after",
  "ratelimit-limit",
  "ratelimit-remaining",
  "ratelimit-reset",
];

/** Registers the hooks. A request over a limit is answered 429, with the time after which to come again. */
export const edgeHooks =
  (config: GatewayConfig, verifier: TokenVerifier) => async (app: FastifyInstance) => {
    app.addHook("onRequest", (_request, reply, done) => {
      void reply.header("x-content-type-options", "nosniff");
      done();
    });
    if (config.corsOrigins.length > 0) {
      await app.register(cors, {
        methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        strictPreflight: false,
        origin: [...config.corsOrigins],
        exposedHeaders: CORS_EXPOSED,
        maxAge: 600,
      });
    }
    await app.register(rateLimit, { global: false, enableDraftSpec: true });
    const perAddress = app.createRateLimit({
      max: config.rateLimitPerAddress,
      timeWindow: WINDOW_MS,
      keyGenerator: (request) => request.ip,
    });
    const principals = new WeakMap<FastifyRequest, string>();
    const perPrincipal = app.createRateLimit({
      max: config.rateLimitPerPrincipal,
      timeWindow: WINDOW_MS,
      keyGenerator: (request) => principals.get(request) ?? request.ip,
    });
    app.addHook("onRequest", async (request, reply) => {
      if (refuse(reply, await perAddress(request))) return reply;
      const principal = await principalName(verifier, request);
      if (principal === undefined) return undefined;
      principals.set(request, principal);
      return refuse(reply, await perPrincipal(request)) ? reply : undefined;
    });
  };

type Verdict = Awaited<ReturnType<ReturnType<FastifyInstance["createRateLimit"]>>>;

function refuse(reply: FastifyReply, verdict: Verdict): boolean {
  if (verdict.isAllowed || !verdict.isExceeded) return false;
  const seconds = Math.max(1, verdict.ttlInSeconds);
  void reply
    .code(429)
    .headers({
      "content-type": "application/problem+json",
      "retry-after": String(seconds),
      "ratelimit-limit": String(verdict.max),
      "ratelimit-remaining": "0",
      "ratelimit-reset": String(seconds),
    })
    .send(
      JSON.stringify({
        type: "about:blank",
        title: "Too Many Requests",
        status: 429,
        code: "resource_exhausted",
        detail: `More than ${verdict.max} requests in a second. Come again in ${seconds} s.`,
      }),
    );
  return true;
}

/** Who calls, for counting only: whoever serves the request asks again, and tells of a bad token or of keys that cannot be had. */
async function principalName(
  verifier: TokenVerifier,
  request: FastifyRequest,
): Promise<string | undefined> {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  try {
    const principal = await verifier.verify(authorization);
    return principal.kind === "anonymous" ? undefined : `${principal.kind}:${principal.id}`;
  } catch {
    return undefined;
  }
}

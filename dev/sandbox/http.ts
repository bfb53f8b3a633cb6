// How the sandbox speaks HTTP: texts in, answers out, and connections cut where a fault says so.
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { isIP } from "node:net";
import type { Answer } from "./answer.ts";

/** Requests are small: a mail with its HTML is the largest. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** True for a name or address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/** A server whose bodies are texts. A page of another origin cannot reach it through a name of its own (DNS rebinding). */
export function createServer(log: (line: string) => void): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => {
    if (!isLoopback(request.hostname))
      return reply.code(403).send({ error: "The sandbox answers only to loopback names." });
    if (!isOwnOrigin(request.headers.origin))
      return reply.code(403).send({ error: "The sandbox answers only to its own pages." });
    return undefined;
  });
  app.addHook("onError", async (request, reply, error) => {
    if (reply.statusCode >= 500)
      log(`${request.method} ${request.url}: ${error.stack ?? error.message}`);
  });
  return app;
}

/** A browser says which page a request comes from: one of the internet may not press our buttons. */
function isOwnOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname);
}

export const bodyOf = (body: unknown): string => (typeof body === "string" ? body : "");

/** Sends the answer, or cuts the connection without one. */
export function send(reply: FastifyReply, outcome: Answer | "drop"): FastifyReply {
  if (outcome === "drop") {
    void reply.hijack();
    reply.raw.socket?.destroy();
    return reply;
  }
  return reply
    .code(outcome.status)
    .headers({ "content-type": "application/json", ...outcome.headers })
    .send(outcome.body);
}

// Serves RPCs on one port: gRPC, gRPC-Web, Connect and plain HTTP/1.1, with health and reflection beside them.
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { fastifyConnectPlugin } from "@connectrpc/connect-fastify";
import { fastify, type FastifyInstance, type FastifyServerOptions } from "fastify";
import type { TokenVerifier } from "../access/token.ts";
import type { Log } from "../log.ts";
import { outliving, type Outliving } from "../outlive.ts";
import { READ_LIMIT_BYTES } from "./limits.ts";
import { createPort, type OnePort } from "./port.ts";
import { allRoutes, routerOptions } from "./routes.ts";

export { principalOf } from "./principal.ts";

/** How long a stop waits for the calls that are open, in milliseconds; then they are cut off. */
const DRAIN_LIMIT_MS = 10_000;

export interface RpcServer extends AsyncDisposable {
  /** "http://127.0.0.1:4000" */
  readonly url: string;
  readonly port: number;
}

export interface ServeOptions {
  /** The service's name: "order". */
  readonly service: string;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly routes: (router: ConnectRouter) => void;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  /**
   * A service is called by its own kind. A gateway is called by strangers: it keeps Node's strict limit on reset streams,
   * and passes on what the services behind it answered with, where a service would not.
   */
  readonly role?: "service" | "gateway";
  /** Fastify hooks and plugins around everything on this port, RPCs too: CORS, rate limits. */
  readonly hooks?: (app: FastifyInstance) => void | Promise<void>;
  /** Plain HTTP routes on the same port, in a Fastify plugin of their own: their body parsers touch no RPC. */
  readonly http?: (app: FastifyInstance) => void | Promise<void>;
  /** Answers a request that Fastify cannot route at all: a malformed URL. */
  readonly frameworkErrors?: NonNullable<FastifyServerOptions["frameworkErrors"]>;
  /** The proxies in front whose X-Forwarded-For is believed, as addresses or networks. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Whether the parts that the service stands on answer: health tells it. */
  readonly ready: () => Promise<boolean>;
  /** The largest body that is read, in bytes. */
  readonly bodyLimitBytes?: number;
}

/** Throws where an RPC does not say who may call it, or the port cannot be had. Disposing drains: see `drain`. */
export async function serve(o: ServeOptions): Promise<RpcServer> {
  const isGateway = o.role === "gateway";
  const bodyLimit = o.bodyLimitBytes ?? READ_LIMIT_BYTES;
  const stopping = new AbortController();
  const calls = outliving();
  const parts = {
    ...o,
    calls,
    stopping: stopping.signal,
    passOn: isGateway,
    readMaxBytes: bodyLimit,
  };

  const app = fastify({
    bodyLimit,
    // While it drains, what arrives on open connections is still served.
    return503OnClosing: false,
    ...(o.trustedProxies?.length && { trustProxy: [...o.trustedProxies] }),
    ...(o.frameworkErrors && { frameworkErrors: o.frameworkErrors }),
  });
  await o.hooks?.(app);
  await app.register(fastifyConnectPlugin, { ...routerOptions(parts), routes: allRoutes(parts) });
  const { http } = o;
  if (http) await app.register(async (scope) => http(scope));
  await app.ready();

  const onePort = createPort((request, response) => app.routing(request, response), {
    strangers: isGateway,
  });
  const port = await onePort.listen(o.host, o.port);
  const host = o.host.includes(":") ? `[${o.host}]` : o.host;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${host}:${port}`,
    port,
    [Symbol.asyncDispose]: () => (closing ??= drain({ app, onePort, calls, stopping, log: o.log })),
  };
}

interface Running {
  readonly app: FastifyInstance;
  readonly onePort: OnePort;
  readonly calls: Outliving;
  readonly stopping: AbortController;
  readonly log: Log;
}

/** Health says NOT_SERVING and streams end; nothing more is accepted; open calls get their answer, up to the limit. */
async function drain({ app, onePort, calls, stopping, log }: Running): Promise<void> {
  const startedAt = performance.now();
  stopping.abort(new ConnectError("the service is stopping: call again", Code.Unavailable));
  await onePort.close(DRAIN_LIMIT_MS);
  // Handlers may still work for callers that have gone.
  const leftMs = Math.max(0, DRAIN_LIMIT_MS - (performance.now() - startedAt));
  if (!(await calls.settled(leftMs)))
    log.warn({ calls: calls.running }, "stopped in the middle of calls");
  await app.close();
}

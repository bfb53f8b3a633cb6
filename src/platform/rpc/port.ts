// One port for HTTP/1.1 and HTTP/2 without TLS: a look at the first bytes says which of the two a connection speaks.
import { createServer, type RequestListener, type Server } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { onFirstBytes } from "./first-bytes.ts";

/** The most connections at a time; further ones are dropped. */
const CONNECTION_LIMIT = 4_096;
/** How long a connection may take to say what it speaks, in milliseconds. */
const PREFACE_TIMEOUT_MS = 5_000;
/** How long an HTTP/1.1 request's headers, and the whole of it, may take to arrive, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How long an idle HTTP/1.1 connection is kept, in milliseconds: longer than the usual 60 s of a load balancer. */
const KEEP_ALIVE_MS = 72_000;
/** After how long without any traffic an HTTP/2 connection is asked to go, in milliseconds: longer than a client's own limit. */
const SESSION_IDLE_MS = 1_200_000;
/** How many calls one HTTP/2 connection may have open. */
const STREAM_LIMIT = 1_000;
/** How much memory one HTTP/2 connection may take, in megabytes. */
const SESSION_MEMORY_MB = 64;
/**
 * How many streams a trusted peer may reset at once, and then in a second. Each deadline that passes and each call that is
 * cancelled is a reset; with Node's own 1,000 and 33, one slow minute would end the connection with all calls on it.
 */
const TRUSTED_RESET_BURST = 100_000;
const TRUSTED_RESET_RATE = 10_000;
/** How often a stop looks for HTTP/1.1 connections that became idle, in milliseconds. */
const DRAIN_INTERVAL_MS = 50;

/** The start of the HTTP/2 connection preface, RFC 9113 section 3.4; no HTTP/1.1 method begins so. */
const HTTP2_PREFACE = "PRI";

export interface OnePort {
  /** The HTTP/1.1 server, which also holds the socket that listens. */
  readonly server: Server;
  /** Listens, on a free port for 0, and gives the port. */
  listen(host: string, port: number): Promise<number>;
  /** Accepts nothing more, tells every peer to go (GOAWAY), lets open calls finish, and at the limit cuts off what is left. */
  close(limitMs: number): Promise<void>;
}

export interface PortOptions {
  /** Strangers may connect: Node's strict limit on resets stays (CVE-2023-44487). */
  readonly strangers: boolean;
}

export function createPort(handler: RequestListener, o: PortOptions): OnePort {
  const http2 = createSessions(handler, o);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAlive: true,
    },
    handler,
  );
  server.maxConnections = CONNECTION_LIMIT;
  const unsure = takeOver(server, http2.server);

  return {
    server,
    listen: (host, port) => listen(server, host, port),
    async close(limitMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of unsure) socket.destroy();
      for (const session of http2.sessions) session.close();
      const idle = setInterval(() => server.closeIdleConnections(), DRAIN_INTERVAL_MS);
      const limit = setTimeout(() => {
        for (const session of http2.sessions) session.destroy();
        server.closeAllConnections();
      }, limitMs);
      await closed;
      clearInterval(idle);
      clearTimeout(limit);
    },
  };
}

interface Sessions {
  readonly server: Http2Server;
  readonly sessions: ReadonlySet<ServerHttp2Session>;
}

function createSessions(handler: RequestListener, { strangers }: PortOptions): Sessions {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server(
    {
      settings: { maxConcurrentStreams: STREAM_LIMIT },
      maxSessionMemory: SESSION_MEMORY_MB,
      ...(strangers
        ? {}
        : { streamResetBurst: TRUSTED_RESET_BURST, streamResetRate: TRUSTED_RESET_RATE }),
    },
    // Fastify's handler takes the requests of both protocols, its type knows one.
    handler as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  );
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.setTimeout(SESSION_IDLE_MS, () => session.close());
  });
  return { server, sessions };
}

/** Every new connection of `server` is looked at first. Gives those that have not said yet what they speak. */
function takeOver(server: Server, http2: Http2Server): ReadonlySet<Socket> {
  const unsure = new Set<Socket>();
  // Node's own listener is kept for HTTP/1.1, so that its timeouts and closeIdleConnections() go on working.
  const ownListeners = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    unsure.add(socket);
    socket.once("close", () => unsure.delete(socket));
    onFirstBytes(socket, { start: HTTP2_PREFACE, timeoutMs: PREFACE_TIMEOUT_MS }, (isHttp2) => {
      unsure.delete(socket);
      if (isHttp2) {
        // Half-open is for HTTP/1.1: an HTTP/2 session whose peer has closed would otherwise stay for ever.
        socket.allowHalfOpen = false;
        http2.emit("connection", socket);
      } else for (const listener of ownListeners) listener.call(server, socket);
    });
  });
  return unsure;
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // A TCP server's address is never a string.
  return (server.address() as AddressInfo).port;
}

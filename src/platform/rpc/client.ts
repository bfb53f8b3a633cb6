// Clients of other services: gRPC over one connection that is kept alive and comes back by itself.
import type { DescService } from "@bufbuild/protobuf";
import {
  createClient,
  createContextValues,
  type CallOptions,
  type Client,
  type HandlerContext,
  type Transport,
} from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { principalOf } from "./principal.ts";
import { WRITE_LIMIT_BYTES } from "./limits.ts";
import { onBehalfOfKey, outgoing, type OutgoingOptions } from "./transport.ts";

export { onBehalfOfKey } from "./transport.ts";

/** After how long without a byte a connection is asked whether it lives, and how long it may take to say so, in milliseconds. */
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
/** After how long without a call a connection is closed, in milliseconds. */
const IDLE_TIMEOUT_MS = 900_000;

export interface ConnectOptions extends OutgoingOptions {
  /** "http://127.0.0.1:4000" */
  readonly url: string;
}

/**
 * A client of another service. A call fails with a CallError: what the service answered, UNAVAILABLE when it could not be
 * reached, DEADLINE_EXCEEDED when the time was over. Calls that the contract calls idempotent are tried again, in that time.
 */
export const connectTo = <S extends DescService>(service: S, o: ConnectOptions): Client<S> =>
  createClient(service, transportTo(o));

/** The same for whoever calls by descriptors: the gateway. */
export const transportTo = (o: ConnectOptions): Transport =>
  outgoing(
    createGrpcTransport({
      baseUrl: o.url,
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      idleConnectionTimeoutMs: IDLE_TIMEOUT_MS,
      readMaxBytes: WRITE_LIMIT_BYTES,
      writeMaxBytes: WRITE_LIMIT_BYTES,
    }),
    o,
  );

/** What a handler hands on in a call that it makes for its own caller: the time left, the wish to stop, and for whom. */
export function handOn(context: HandlerContext): CallOptions {
  const principal = principalOf(context);
  const customer =
    principal.kind === "service"
      ? principal.onBehalfOf
      : principal.kind === "customer"
        ? principal.id
        : undefined;
  const timeoutMs = context.timeoutMs();
  return {
    signal: context.signal,
    contextValues: createContextValues().set(onBehalfOfKey, customer),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

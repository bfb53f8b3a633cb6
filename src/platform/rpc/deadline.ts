// The server keeps the deadline itself: a handler that does not look at its signal cannot hold a caller.
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Log } from "../log.ts";
import type { Outliving } from "../outlive.ts";
import { abortError, isOfAbort, throughout } from "./stream.ts";

/** How long a unary call may take whose caller named no deadline, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 60_000;

const namesDeadline = (header: Headers): boolean =>
  header.has("grpc-timeout") || header.has("connect-timeout-ms");

/** A stream may be open for as long as its caller likes, but ends when the service stops. */
function signalOf(request: UnaryRequest | StreamRequest, stopping: AbortSignal): AbortSignal {
  if (request.stream) return AbortSignal.any([request.signal, stopping]);
  if (namesDeadline(request.header)) return request.signal;
  return AbortSignal.any([request.signal, AbortSignal.timeout(DEFAULT_TIMEOUT_MS)]);
}

export interface DeadlineParts {
  /** Holds the handlers at work, also those whose caller has got its answer already. */
  readonly calls: Outliving;
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  readonly log: Log;
}

/** Answers at the deadline whatever the handler does; the handler's work goes on and is waited for when the service stops. */
export const keepDeadline =
  (parts: DeadlineParts): Interceptor =>
  (next) =>
  (request) => {
    const signal = signalOf(request, parts.stopping);
    const call = () =>
      request.stream ? next({ ...request, signal }) : next({ ...request, signal });
    return throughout(call, (step) => orAborted(parts.calls.run(step), signal, parts.log));
  };

function orAborted<T>(work: Promise<T>, signal: AbortSignal, log: Log): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    const settled = () => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then(
      (value) => {
        settled();
        resolve(value);
      },
      (error: unknown) => {
        settled();
        // Nobody is left to hear of it but the log.
        if (signal.aborted && !isOfAbort(error, signal)) {
          log.error({ error }, "failed after the caller had gone");
        }
        reject(error as Error);
      },
    );
  });
}

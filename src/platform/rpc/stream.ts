// What a unary call and a stream have in common, so that an interceptor is written once for both.
import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import { isTransient } from "../transient.ts";

export type Response = UnaryResponse | StreamResponse;
/** Runs one step of a call: a unary call has one, a stream one more for each message. */
export type Around = <T>(step: () => Promise<T>) => Promise<T>;

/** Runs a call and, if it answers with a stream, each step of that stream inside `around`. */
export async function throughout(call: () => Promise<Response>, around: Around): Promise<Response> {
  const response = await around(call);
  return response.stream ? { ...response, message: stepwise(response.message, around) } : response;
}

/** The same messages, each fetched inside `around`. When a step fails, the source is told that nobody listens any more. */
function stepwise<T>(source: AsyncIterable<T>, around: Around): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const leave = async (): Promise<IteratorResult<T>> => {
        await iterator.return?.();
        return { done: true, value: undefined };
      };
      return {
        next: () => around(() => iterator.next()),
        return: () => around(leave),
      };
    },
  };
}

/** What an aborted signal means to the caller: its deadline has passed, the service is stopping, or it went away. */
export function abortError(signal: AbortSignal): ConnectError {
  const reason: unknown = signal.reason;
  if (reason instanceof ConnectError && reason.code === Code.Unavailable) return reason;
  const late =
    (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) ||
    (reason instanceof Error && reason.name === "TimeoutError");
  return late
    ? new ConnectError(
        "the deadline has passed",
        Code.DeadlineExceeded,
        undefined,
        undefined,
        reason,
      )
    : new ConnectError("the caller has gone", Code.Canceled, undefined, undefined, reason);
}

/** True for what work throws because its signal was aborted; false for a bug that came to light at the same moment. */
export const isOfAbort = (error: unknown, signal: AbortSignal): boolean =>
  error === signal.reason ||
  error instanceof ConnectError ||
  (error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError")) ||
  isTransient(error);

/** Node's codes for a body that is read or written when its stream is no more. */
const BROKEN_OFF = new Set([
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
  "ERR_HTTP2_INVALID_STREAM",
]);

/** True where the messages of a stream ended because their sender went away, which may be seen before the signal says so. */
export const isBrokenOff = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "string" &&
  BROKEN_OFF.has(error.code);

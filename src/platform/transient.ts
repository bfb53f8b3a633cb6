// Which failures may go away by themselves: the same request may work a moment later.
import { Code, ConnectError } from "@connectrpc/connect";

/** Codes of Node's sockets, of the PostgreSQL client, and of keys that cannot be fetched. */
const CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "ERR_KEYS_UNAVAILABLE",
]);

/**
 * SQLSTATEs: serialization failure, deadlock, a lock that was not to be had, a statement that took too long, a server that shuts
 * down, crashed, starts up or is a standby still, sessions that it ended, and the classes of connection failures, exhausted
 * resources and system errors. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQL_STATE = /^(40001|40P01|25006|25P03|55P03|57014|57P0[1235]|(08|53|58)[0-9A-Z]{3})$/;

/** The deepest chain of causes that is walked; a chain may be a circle. */
const CAUSE_LIMIT = 16;

/** A failure that its thrower knows to be a passing one: a provider that is away or overloaded. */
export class TransientError extends Error {
  override readonly name = "TransientError";
}

/** True where a retry may help. Looks through the errors that others wrap theirs in (`cause`, AggregateError). */
export function isTransient(error: unknown): boolean {
  return anyCause(error, CAUSE_LIMIT);
}

function anyCause(error: unknown, depth: number): boolean {
  if (depth === 0 || typeof error !== "object" || error === null) return false;
  if (isTransientItself(error)) return true;
  if (error instanceof AggregateError && error.errors.some((one) => anyCause(one, depth - 1)))
    return true;
  return "cause" in error && anyCause(error.cause, depth - 1);
}

function isTransientItself(error: object): boolean {
  if (error instanceof ConnectError) {
    return error.code === Code.Unavailable || error.code === Code.DeadlineExceeded;
  }
  if (error instanceof TransientError) return true;
  // What AbortSignal.timeout() throws: a DOMException.
  if ("name" in error && error.name === "TimeoutError") return true;
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && (CODES.has(code) || SQL_STATE.test(code));
}

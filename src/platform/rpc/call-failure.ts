// Reads what a transport throws: did the other service answer, or was it not reached?
import { Code, ConnectError } from "@connectrpc/connect";
import { CallError } from "./call-error.ts";

/** Codes of Node's sockets and HTTP/2 sessions, which connect-node tells as aborted or internal. */
const NODE_CODE = /^(E[A-Z]+|ERR_(HTTP2|STREAM|SOCKET)_[A-Z0-9_]+)$/;
/** Connect's words for a stream that ended without an answer. */
const CUT_OFF = /^(http\/2 stream closed|protocol error: missing|sentinel completed early)/;
/** The deepest chain of causes that is walked. */
const CAUSE_LIMIT = 8;

/**
 * A CallError: with the other service's own code where it answered, else DEADLINE_EXCEEDED or UNAVAILABLE. Where the
 * caller's own signal ended the call, or the message could not even be written, the error is given back as it is.
 */
export function callErrorOf(
  error: unknown,
  audience: string,
  signal: AbortSignal | undefined,
): unknown {
  if (!(error instanceof ConnectError) || signal?.aborted) return error;
  if (error.isWireError) return CallError.answered(audience, error);
  if (error.code === Code.DeadlineExceeded)
    return CallError.unanswered(audience, error.code, error);
  return isLost(error) ? CallError.unanswered(audience, Code.Unavailable, error) : error;
}

function isLost(error: ConnectError): boolean {
  if (error.code === Code.Unavailable || error.code === Code.Aborted) return true;
  return CUT_OFF.test(error.rawMessage) || hasNodeCode(error.cause, CAUSE_LIMIT);
}

function hasNodeCode(error: unknown, depth: number): boolean {
  if (depth === 0 || !(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && NODE_CODE.test(error.code)) return true;
  return hasNodeCode(error.cause, depth - 1);
}

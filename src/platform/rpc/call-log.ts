// One line for each call: which, for whom, how it ended, how long it took. IDs only, no personal data.
import {
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Log } from "../log.ts";
import { principalKey } from "./principal.ts";

const codeOf = (error: unknown): string =>
  error instanceof ConnectError ? codeToString(error.code) : "internal";

/** Gives what writes the line, with the code that the call ended with. */
function startLine(log: Log, request: UnaryRequest | StreamRequest): (code: string) => void {
  const startedAt = performance.now();
  return (code) => {
    const principal = request.contextValues.get(principalKey);
    log.info(
      {
        rpc: `${request.service.typeName}/${request.method.name}`,
        code,
        durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
        principal: principal.kind,
        ...(principal.kind === "anonymous" ? {} : { principalId: principal.id }),
      },
      "call",
    );
  };
}

/** A stream's line is written when it ends; one that its reader left is "canceled". */
async function* untilEnd<T>(
  source: AsyncIterable<T>,
  write: (code: string) => void,
): AsyncIterable<T> {
  let code = "canceled";
  try {
    yield* source;
    code = "ok";
  } catch (error) {
    code = codeOf(error);
    throw error;
  } finally {
    write(code);
  }
}

export const logCalls =
  (log: Log): Interceptor =>
  (next) =>
  async (request) => {
    const write = startLine(log, request);
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: untilEnd(response.message, write) };
      write("ok");
      return response;
    } catch (error) {
      write(codeOf(error));
      throw error;
    }
  };

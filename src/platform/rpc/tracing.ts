// Puts a call into its caller's trace, and gives it a name that answers and log lines share.
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { isCardNumber } from "../card-number.ts";
import { newId } from "../id.ts";
import { childTraceparent, runInTrace, type Trace } from "../trace.ts";
import { throughout } from "./stream.ts";

export const REQUEST_ID_HEADER = "x-request-id";
export const TRACEPARENT_HEADER = "traceparent";

/** What a caller may call its request: anything else could forge log lines, and is replaced; so is a card number. */
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

export function traceOf(header: Headers): Trace {
  const requestId = header.get(REQUEST_ID_HEADER) ?? "";
  return {
    requestId: REQUEST_ID.test(requestId) && !isCardNumber(requestId) ? requestId : newId(),
    traceparent: childTraceparent(header.get(TRACEPARENT_HEADER)),
  };
}

/** Everything that a call does runs in its trace; the answer, an error too, carries the request ID. */
export const traceCalls: Interceptor = (next) => async (request) => {
  const trace = traceOf(request.header);
  const call = async () => {
    const response = await next(request);
    response.header.set(REQUEST_ID_HEADER, trace.requestId);
    return response;
  };
  return throughout(call, async (step) => {
    try {
      return await runInTrace(trace, step);
    } catch (error) {
      if (error instanceof ConnectError) error.metadata.set(REQUEST_ID_HEADER, trace.requestId);
      throw error;
    }
  });
};

// How a call leaves this process: with a deadline, a name, a trace, and another try where that is harmless.
import { setTimeout as wait } from "node:timers/promises";
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import { Code, createContextKey, type ContextValues, type Transport } from "@connectrpc/connect";
import type { TokenMinter } from "../access/token.ts";
import { currentTrace } from "../trace.ts";
import { CallError } from "./call-error.ts";
import { callErrorOf } from "./call-failure.ts";
import { REQUEST_ID_HEADER, TRACEPARENT_HEADER } from "./tracing.ts";

/** The ID of the customer for whom a call is made; without one the service calls for itself. */
export const onBehalfOfKey = createContextKey<string | undefined>(undefined, {
  description: "the customer for whom this call is made",
});

/** How often a call is tried, at most. */
const TRIES = 3;
/** The pause before another try, in milliseconds: from the first to the second, by chance. */
const PAUSE_MS = [50, 200] as const;

export interface OutgoingOptions {
  /** The name of the service that is called: "payment". */
  readonly audience: string;
  /** Makes this service's own tokens. Without one a call carries the token that its caller put into the headers, or none. */
  readonly minter?: TokenMinter;
  /** The longest that a unary call may take, in milliseconds; less where the call says that its caller has less left. */
  readonly timeoutMs: number;
}

/** Wraps a transport, whichever it is. Every error that it throws for a call is a CallError, or of the caller's own signal. */
export function outgoing(inner: Transport, o: OutgoingOptions): Transport {
  return {
    async unary(...call) {
      const [method, signal, timeoutMs, header, input, contextValues] = call;
      const deadline = performance.now() + Math.min(o.timeoutMs, timeoutMs ?? o.timeoutMs);
      const headers = await headersOf(o, header, contextValues);
      for (let attempt = 1; ; attempt += 1) {
        const leftMs = Math.floor(deadline - performance.now());
        if (leftMs <= 0) throw CallError.unanswered(o.audience, Code.DeadlineExceeded, undefined);
        try {
          return await inner.unary(method, signal, leftMs, headers, input, contextValues);
        } catch (error) {
          const failure = callErrorOf(error, o.audience, signal);
          const pauseMs = PAUSE_MS[0] + Math.random() * (PAUSE_MS[1] - PAUSE_MS[0]);
          const inTime = performance.now() + pauseMs < deadline;
          if (!inTime || attempt === TRIES || !isHarmlessAgain(method, failure)) throw failure;
          // A caller that leaves meanwhile is noticed by the next try.
          await wait(pauseMs, undefined, signal && { signal }).catch(() => undefined);
        }
      }
    },
    async stream(...call) {
      const [method, signal, timeoutMs, header, input, contextValues] = call;
      if (timeoutMs !== undefined && timeoutMs < 1) {
        throw CallError.unanswered(o.audience, Code.DeadlineExceeded, undefined);
      }
      const headers = await headersOf(o, header, contextValues);
      const leftMs = timeoutMs === undefined ? undefined : Math.floor(timeoutMs);
      try {
        const response = await inner.stream(method, signal, leftMs, headers, input, contextValues);
        return { ...response, message: mapped(response.message, o.audience, signal) };
      } catch (error) {
        throw callErrorOf(error, o.audience, signal);
      }
    },
  };
}

const isHarmlessAgain = (method: DescMethod, failure: unknown): boolean =>
  failure instanceof CallError &&
  failure.code === Code.Unavailable &&
  (method.idempotency === Level.NO_SIDE_EFFECTS || method.idempotency === Level.IDEMPOTENT);

async function* mapped<T>(
  messages: AsyncIterable<T>,
  audience: string,
  signal: AbortSignal | undefined,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw callErrorOf(error, audience, signal);
  }
}

async function headersOf(
  o: OutgoingOptions,
  given: ConstructorParameters<typeof Headers>[0],
  values: ContextValues | undefined,
): Promise<Headers> {
  const headers = new Headers(given);
  if (o.minter && !headers.has("authorization")) {
    headers.set(
      "authorization",
      `Bearer ${await o.minter.mint(o.audience, values?.get(onBehalfOfKey))}`,
    );
  }
  const trace = currentTrace();
  if (trace && !headers.has(TRACEPARENT_HEADER)) headers.set(TRACEPARENT_HEADER, trace.traceparent);
  if (trace && !headers.has(REQUEST_ID_HEADER)) headers.set(REQUEST_ID_HEADER, trace.requestId);
  return headers;
}

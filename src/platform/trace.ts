// The trace that the present work belongs to (W3C Trace Context), carried along by AsyncLocalStorage.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { newId } from "./id.ts";

export interface Trace {
  /** https://www.w3.org/TR/trace-context/#traceparent-header */
  readonly traceparent: string;
  /** What the caller calls this request; echoed in answers and logs. */
  readonly requestId: string;
}

const store = new AsyncLocalStorage<Trace>();
const wellFormed = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The trace of the caller with a span of our own, or a new trace where the caller named none. */
export function childTraceparent(parent: string | null | undefined): string {
  const match = parent ? wellFormed.exec(parent) : null;
  const traceId = match?.[1] ?? randomBytes(16).toString("hex");
  return `00-${traceId}-${randomBytes(8).toString("hex")}-${match?.[2] ?? "01"}`;
}

export const runInTrace = <T>(trace: Trace, work: () => T): T => store.run(trace, work);

export const currentTrace = (): Trace | undefined => store.getStore();

/** What to store with work that is left for later, so that it goes on with the present trace; null outside of any. */
export const traceToStore = (): string | null => currentTrace()?.traceparent ?? null;

/** Runs work in the trace that was stored with it, as a span of its own; where none was, in the present trace. */
export const continueTrace = <T>(stored: string | null | undefined, work: () => T): T => {
  const traceparent = childTraceparent(stored ?? currentTrace()?.traceparent);
  return runInTrace({ traceparent, requestId: newId() }, work);
};

// The trace that the present work belongs to (W3C Trace Context), carried along by AsyncLocalStorage.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";

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

// How long a call to the Payment service may take, and in whose name it is made.
import { createContextValues, type CallOptions } from "@connectrpc/connect";
import { onBehalfOfKey } from "../platform/rpc/client.ts";
import type { PaymentCall } from "./parts.ts";

/** How long the Payment service is waited for, in milliseconds. What was asked goes on without us. */
const PAYMENT_TIMEOUT_MS = 4000;
/** What is kept of the caller's time for the answer itself, in milliseconds. */
const ANSWER_RESERVE_MS = 100;

/** In milliseconds; 0 or less: there is no time left to ask. */
export const timeLeftMs = (call: PaymentCall): number =>
  call.timeoutMs === undefined
    ? PAYMENT_TIMEOUT_MS
    : Math.min(PAYMENT_TIMEOUT_MS, call.timeoutMs - ANSWER_RESERVE_MS);

export const callOptions = (call: PaymentCall): CallOptions => ({
  timeoutMs: Math.max(1, timeLeftMs(call)),
  ...(call.onBehalfOf !== undefined && {
    contextValues: createContextValues().set(onBehalfOfKey, call.onBehalfOf),
  }),
});

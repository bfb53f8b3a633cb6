// Where a stored call to Stripe stands after a try: what the worker does next, and what operators hear of it.
import type { Log } from "../platform/log.ts";
import { settleWaitMs } from "./schedule.ts";
import type { Progress } from "./store.ts";
import type { CallResult } from "./stripe/call.ts";

/** What is written of a call that ended so; `tries` is how often the worker had taken it. */
export function progressOf(outcome: CallResult<unknown>["outcome"], tries: number): Progress {
  switch (outcome) {
    case "answered":
    case "refused":
      return { status: "SETTLED", dueInMs: null };
    case "repeat":
      return { status: "UNKNOWN", dueInMs: settleWaitMs(tries) };
    case "wait":
      return { dueInMs: settleWaitMs(tries) };
    case "look":
      return { status: "LOOKING", dueInMs: settleWaitMs(tries) };
    case "park":
      return { status: "PARKED", dueInMs: null };
    default:
      return outcome satisfies never;
  }
}

const SENTENCES = {
  refused: "Stripe refused a call",
  repeat: "a call to Stripe was lost; it is repeated with its key",
  wait: "a call to Stripe waits; it is repeated with its key",
  look: "a call to Stripe may have been executed; it is not repeated, Stripe is asked what there is",
  park: "a call to Stripe is set aside",
} as const;

/** What follows from the way in which a call failed. */
export const callSentence = (outcome: keyof typeof SENTENCES): string => SENTENCES[outcome];

/** Tells of a call that failed: as an error where the failure table says that operators must hear of it. */
export function reportCall(
  log: Log,
  about: Readonly<Record<string, unknown>>,
  result: CallResult<unknown>,
): void {
  if (result.outcome === "answered") return;
  const { failure, tell, code, message, requestId } = result.failed;
  const line = { ...about, failure, code, detail: message, stripeRequestId: requestId };
  if (tell) log.error(line, `${SENTENCES[result.outcome]}: an operator must look`);
  else log.warn(line, SENTENCES[result.outcome]);
}

/** What is written as the reason of a call that is proven never to have been executed. */
export const NEVER_EXECUTED = "never_executed";

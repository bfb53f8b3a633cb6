// Faults a test may order for the next requests to a provider. They are kept in memory only.
import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "./answer.ts";

export const providers = ["stripe", "resend", "twilio"] as const;
export type Provider = (typeof providers)[number];

/**
 * - `drop`: the connection is cut and nothing is done.
 * - `execute_then_drop`: the request is carried out, then the connection is cut: the caller cannot know.
 * - `execute_then_500`: the request is carried out, then answered 500 (Stripe saves that 500 under the key).
 * - `latency`: the request is carried out after `latencyMs`.
 * - `status`: answered with `status`, nothing is done.
 */
export const faultNames = [
  "drop",
  "execute_then_drop",
  "execute_then_500",
  "latency",
  "status",
] as const;
export type FaultName = (typeof faultNames)[number];

export interface Fault {
  readonly provider: Provider;
  readonly fault: FaultName;
  /** How many requests it strikes; each is struck by one fault at most, the oldest first. */
  readonly count: number;
  /** Milliseconds to wait first; also possible with the other faults. */
  readonly latencyMs?: number;
  /** HTTP status of the fault `status`. */
  readonly status?: number;
  /** Strikes only requests whose path starts so. */
  readonly path?: string;
}

export interface Faults {
  order(fault: Fault): void;
  clear(): void;
  /** What is still to come. */
  list(): Fault[];
  /** The fault that strikes this request, counted as used. */
  strike(provider: Provider, path: string): Fault | undefined;
}

export function createFaults(): Faults {
  let ordered: Fault[] = [];
  return {
    order: (fault) => void ordered.push(fault),
    clear: () => void (ordered = []),
    list: () => [...ordered],
    strike(provider, path) {
      const index = ordered.findIndex(
        (fault) => fault.provider === provider && path.startsWith(fault.path ?? ""),
      );
      const fault = ordered[index];
      if (fault === undefined) return undefined;
      const rest = fault.count > 1 ? [{ ...fault, count: fault.count - 1 }] : [];
      ordered = ordered.toSpliced(index, 1, ...rest);
      return fault;
    },
  };
}

/** A request to a provider, as far as faults are concerned. */
export interface Work {
  /** Shapes an error of this HTTP status as the provider would. */
  refusal(status: number): Answer;
  /** Carries the request out. `instead` is to be answered (and remembered, where answers are) in place of the truth. */
  execute(instead?: Answer): Answer;
}

/** Carries a request out as the fault that strikes it, if any, lets it: "drop" means that the connection is cut. */
export async function underFault(
  fault: Fault | undefined,
  work: Work,
  closing: AbortSignal,
): Promise<Answer | "drop"> {
  if (fault?.latencyMs !== undefined) await delay(fault.latencyMs, undefined, { signal: closing });
  if (fault === undefined) return work.execute();
  switch (fault.fault) {
    case "drop":
      return "drop";
    case "status":
      return work.refusal(fault.status ?? 500);
    case "execute_then_drop":
      work.execute();
      return "drop";
    case "execute_then_500":
      return work.execute(work.refusal(500));
    case "latency":
      return work.execute();
    default:
      return fault.fault satisfies never;
  }
}

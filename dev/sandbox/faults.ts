// Faults a test may order for the next requests to a provider, and for Stripe's next webhooks. They are kept in memory only.
import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "./answer.ts";

export const providers = ["stripe", "resend", "twilio"] as const;
export type Provider = (typeof providers)[number];

/** Where faults strike: a request, an event of Stripe's when it happens, a delivery of its webhook. */
export type Stage = "request" | "event" | "delivery";

/**
 * - `drop`: the connection is cut and nothing is done.
 * - `execute_then_drop`: the request is carried out, then the connection is cut: the caller cannot know.
 * - `execute_then_500`: the request is carried out, then answered 500 (Stripe saves that 500 under the key).
 * - `execute_then_wait`: the request is carried out, and answered `latencyMs` later.
 * - `latency`: the request is carried out after `latencyMs`.
 * - `status`: answered with `status`, nothing is done.
 * - `webhook_drop`: it is never sent. `webhook_hold`: it is sent when it is released. `webhook_delay`: after `latencyMs`.
 * - `webhook_duplicate`: it is sent `copies` times.
 * - `webhook_reorder`: `count` of them are gathered, then sent in reverse, one after the other.
 * - `webhook_signature`: it is sent with the `signature` named.
 */
const stages = {
  drop: "request",
  execute_then_drop: "request",
  execute_then_500: "request",
  execute_then_wait: "request",
  latency: "request",
  status: "request",
  webhook_drop: "event",
  webhook_hold: "event",
  webhook_delay: "event",
  webhook_duplicate: "event",
  webhook_reorder: "event",
  webhook_signature: "delivery",
} as const satisfies Record<string, Stage>;
export type FaultName = keyof typeof stages;
export const faultNames = Object.keys(stages) as FaultName[];

/** How a webhook's signature may be wrong. */
export const badSignatures = ["wrong", "missing", "old", "future"] as const;
export type BadSignature = (typeof badSignatures)[number];

export interface Fault {
  readonly provider: Provider;
  readonly fault: FaultName;
  /** How many requests or webhooks it strikes; each is struck by one fault at most, the oldest first. */
  readonly count: number;
  /** Lets those before the nth pass; absent: 1. */
  readonly nth?: number;
  /** Milliseconds to wait first; also possible with the other faults of requests. */
  readonly latencyMs?: number;
  /** HTTP status of the fault `status`. */
  readonly status?: number;
  readonly copies?: number;
  readonly signature?: BadSignature;
  /** Strikes only requests whose path starts so. */
  readonly path?: string;
  /** Strikes only this call of Stripe's SDK: "payment_intents.confirm". */
  readonly operation?: string;
  /** Strikes only webhooks of this event, or of these: "refund.*". */
  readonly event?: string;
  /** Strikes only what concerns a payment with these pairs, or carries them itself. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a fault may strike. */
export interface Target {
  readonly stage: Stage;
  readonly provider: Provider;
  readonly path?: string;
  readonly operation?: string;
  readonly event?: string;
  readonly metadata?: () => Readonly<Record<string, string>>;
}

export interface Faults {
  order(fault: Fault): void;
  clear(): void;
  /** What is still to come. */
  list(): Fault[];
  /** The fault that strikes the target, counted as used. Its `count` is what was left before. */
  strike(target: Target): Fault | undefined;
}

export function createFaults(): Faults {
  let ordered: Fault[] = [];
  return {
    order: (fault) => void ordered.push(fault),
    clear: () => void (ordered = []),
    list: () => [...ordered],
    strike(target) {
      const rest: Fault[] = [];
      let struck: Fault | undefined;
      for (const fault of ordered) {
        if (struck !== undefined || !matches(fault, target)) rest.push(fault);
        else if ((fault.nth ?? 1) > 1) rest.push({ ...fault, nth: (fault.nth ?? 1) - 1 });
        else {
          struck = fault;
          if (fault.count > 1) rest.push({ ...fault, count: fault.count - 1 });
        }
      }
      ordered = rest;
      return struck;
    },
  };
}

function matches(fault: Fault, target: Target): boolean {
  if (stages[fault.fault] !== target.stage || fault.provider !== target.provider) return false;
  if (!(target.path ?? "").startsWith(fault.path ?? "")) return false;
  if (fault.operation !== undefined && fault.operation !== target.operation) return false;
  if (fault.event !== undefined && !matchesType(fault.event, target.event ?? "")) return false;
  const wanted = Object.entries(fault.metadata ?? {});
  if (wanted.length === 0) return true;
  const metadata = target.metadata?.() ?? {};
  return wanted.every(([name, value]) => metadata[name] === value);
}

/** Stripe's own way to name several types of events: `charge.*`. */
export const matchesType = (pattern: string, type: string): boolean =>
  pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;

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
  if (fault === undefined) return work.execute();
  const { latencyMs = 0 } = fault;
  const executed = fault.fault === "execute_then_wait" ? work.execute() : undefined;
  if (latencyMs > 0) await delay(latencyMs, undefined, { signal: closing });
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
    default:
      return executed ?? work.execute();
  }
}

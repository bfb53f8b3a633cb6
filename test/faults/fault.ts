// What a fault of the suite is, what it is told, and what it gives back.
import type { Say } from "../../dev/backends/problem.ts";
import type { Random } from "./random.ts";
import type { Rig } from "./rig.ts";

export interface FaultOptions {
  /** How long the load, and with it the fault, goes on. */
  readonly seconds: number;
  /** Orders a second. */
  readonly rate: number;
  /** What is counted instead of timed: payments, rounds of a race, lives of an order. */
  readonly count: number;
  /** Who is struck when. */
  readonly random: Random;
  readonly say: Say;
}

/** A figure that the fault measured. It is told and never fails a run: a busy machine is no broken promise. */
export interface Measured {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What it should be at most, on a machine with nothing else to do. */
  readonly aim?: number;
}

export interface FaultResult {
  readonly accepted: number;
  /** Orders that were refused at last, by what the customer was told. */
  readonly refused: Readonly<Record<string, number>>;
  /** What was done: "12 kills". */
  readonly injected: string;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly reordered: readonly string[];
  /** Everything else that fails the run. */
  readonly wrong: readonly string[];
  /** Records that the topics hold twice, which is allowed. */
  readonly redelivered: number;
  /** Seconds from the end of the fault until everything was at rest; undefined: it did not come to rest. */
  readonly recoverSeconds: number | undefined;
  readonly measured: readonly Measured[];
}

export interface Fault {
  /** "F1" */
  readonly id: string;
  readonly title: string;
  /** Does it, heals it, and lets the oracle judge. */
  run(rig: Rig, o: FaultOptions): Promise<FaultResult>;
}

export const isGreen = ({ lost, doubled, reordered, wrong, accepted }: FaultResult): boolean =>
  [lost, doubled, reordered, wrong].every((findings) => findings.length === 0) && accepted > 0;

/** Of each kind; the file of --json has them all. */
const FINDINGS_SHOWN = 20;
const KINDS = ["lost", "doubled", "reordered", "wrong"] as const;

export const findingsOf = (result: FaultResult): string[] =>
  KINDS.flatMap((kind) => {
    const rest = result[kind].length - FINDINGS_SHOWN;
    const shown = result[kind].slice(0, FINDINGS_SHOWN).map((finding) => `${kind}: ${finding}`);
    return shown.concat(rest > 0 ? `${kind}: … and ${rest} more` : []);
  });

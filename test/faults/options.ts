// What `npm run faults -- …` is told.
import { parseArgs } from "node:util";
import { FAULTS } from "./list.ts";
import type { Fault } from "./fault.ts";

const SEED_LIMIT = 2 ** 31;
const DEFAULT_SECONDS = 60;
const DEFAULT_RATE = 50;
const DEFAULT_COUNT = 200;

export const USAGE = `npm run faults -- [--seconds N] [--seed N] [--only F1,F4] [--rate N] [--count N] [--json FILE]
  --seconds  of load for each fault (${DEFAULT_SECONDS})
  --seed     of a run that is to be repeated; else a new one is drawn and printed
  --only     these faults (${FAULTS.map(({ id }) => id).join(",")})
  --rate     orders a second (${DEFAULT_RATE})
  --count    payments of F7, rounds of each race, lives of P1 (${DEFAULT_COUNT})
  --json     where the results are written`;

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface SuiteOptions {
  readonly seconds: number;
  readonly rate: number;
  readonly count: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly json: string | undefined;
}

/** @throws UsageError that says what is wrong */
export function readOptions(args: readonly string[]): SuiteOptions {
  const values = parsed(args);
  return {
    seconds: wholeNumber("seconds", values.seconds, DEFAULT_SECONDS),
    rate: wholeNumber("rate", values.rate, DEFAULT_RATE),
    count: wholeNumber("count", values.count, DEFAULT_COUNT),
    seed: wholeNumber("seed", values.seed, Math.floor(Math.random() * SEED_LIMIT)),
    faults: values.only === undefined ? FAULTS : values.only.split(",").map(named),
    json: values.json,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { seconds: text, rate: text, count: text, seed: text, only: text, json: text },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${name} is "${text}": it must be a whole number from 1.`);
  return value;
}

function named(id: string): Fault {
  const fault = FAULTS.find((known) => known.id === id.trim().toUpperCase());
  if (fault === undefined)
    throw new UsageError(
      `--only names "${id}"; there are ${FAULTS.map((known) => known.id).join(", ")}.`,
    );
  return fault;
}

// The command line of a benchmark.
import { parseArgs } from "node:util";

/** The parts of the benchmark, in the order in which they run. */
export const PARTS = ["limit", "post", "paid", "told", "profile"] as const;
export type Part = (typeof PARTS)[number];

/** How much each part does. */
export interface Sizes {
  readonly warmUpOrders: number;
  /** How long each number of connections is measured, in seconds. */
  readonly postSeconds: number;
  readonly paidSeconds: number;
  readonly toldOrders: number;
  readonly profileSeconds: number;
  /** How long each of the database's limits is measured, in seconds. */
  readonly limitSeconds: number;
}

const FULL: Sizes = {
  warmUpOrders: 1000,
  postSeconds: 10,
  paidSeconds: 20,
  toldOrders: 2000,
  profileSeconds: 10,
  limitSeconds: 5,
};
const QUICK: Sizes = {
  warmUpOrders: 150,
  postSeconds: 2,
  paidSeconds: 4,
  toldOrders: 200,
  profileSeconds: 3,
  limitSeconds: 1,
};

export interface BenchOptions {
  readonly quick: boolean;
  readonly sizes: Sizes;
  readonly parts: ReadonlySet<Part>;
  /** Where the figures are written for programs. */
  readonly json: string | undefined;
  /** The folder in which the raw CPU profiles are kept, for Chrome's developer tools or speedscope. */
  readonly profiles: string | undefined;
}

export const USAGE = `npm run bench -- orders [options]

  --quick            small numbers: a look, no measurement
  --only a,b         only these parts: ${PARTS.join(", ")}
  --json FILE        also writes the figures as JSON
  --profiles FOLDER  keeps the raw CPU profiles (Chrome's developer tools and speedscope read them)`;

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError that says what is wrong */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parse(argv);
  if (positionals.length !== 1 || positionals[0] !== "orders") {
    throw new UsageError("Which benchmark? There is one: orders.");
  }
  return {
    quick: values.quick,
    sizes: values.quick ? QUICK : FULL,
    parts: readParts(values.only),
    json: values.json,
    profiles: values.profiles,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string" },
        json: { type: "string" },
        profiles: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readParts(only: string | undefined): Set<Part> {
  if (only === undefined) return new Set(PARTS);
  const wanted = only.split(",").map((name) => name.trim());
  const unknown = wanted.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new UsageError(`--only knows no "${unknown}".`);
  return new Set(PARTS.filter((part) => wanted.includes(part)));
}

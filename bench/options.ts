// The command line of a benchmark.
import { parseArgs } from "node:util";

export interface BenchOptions<P extends string> {
  readonly quick: boolean;
  readonly parts: ReadonlySet<P>;
  /** Where the figures are written for programs. */
  readonly json: string | undefined;
  /** The folder in which the raw CPU profiles are kept, for Chrome's developer tools or speedscope. */
  readonly profiles: string | undefined;
}

export const usage = (parts: Readonly<Record<string, readonly string[]>>): string =>
  `npm run bench -- ${Object.keys(parts).join("|")} [options]

  --quick            small numbers: a look, no measurement
  --only a,b         only these parts
  --json FILE        also writes the figures as JSON
  --profiles FOLDER  keeps the raw CPU profiles (Chrome's developer tools and speedscope read them)

${Object.entries(parts)
  .map(([benchmark, names]) => `  parts of ${benchmark}: ${names.join(", ")}`)
  .join("\n")}`;

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError that says what is wrong */
export function readBenchmark<N extends string>(argv: readonly string[], names: readonly N[]): N {
  const { positionals } = parse(argv);
  const name = names.find((each) => each === positionals[0]);
  if (name === undefined || positionals.length !== 1) {
    throw new UsageError(`Which benchmark? There are: ${names.join(", ")}.`);
  }
  return name;
}

/** @throws UsageError that says what is wrong */
export function readOptions<P extends string>(
  argv: readonly string[],
  parts: readonly P[],
): BenchOptions<P> {
  const { values } = parse(argv);
  const { quick, json, profiles } = values;
  return { quick, parts: readParts(values.only, parts), json, profiles };
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

function readParts<P extends string>(only: string | undefined, parts: readonly P[]): Set<P> {
  if (only === undefined) return new Set(parts);
  const wanted = only.split(",").map((name) => name.trim());
  const unknown = wanted.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) {
    throw new UsageError(`--only knows no "${unknown}". There are: ${parts.join(", ")}.`);
  }
  return new Set(parts.filter((part) => wanted.includes(part)));
}

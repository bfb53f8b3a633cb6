// npm run bench -- orders|events: measures on servers of its own, and says what it found.
import { writeFile } from "node:fs/promises";
import { type Say, SetupProblem } from "../dev/backends/problem.ts";
import { endEverything } from "../dev/process/reaper-link.ts";
import { reportEvents } from "./events/report.ts";
import { runEvents } from "./events/run.ts";
import { EVENT_PARTS } from "./events/sizes.ts";
import { readBenchmark, readOptions, usage, UsageError } from "./options.ts";
import { ORDER_PARTS } from "./orders-sizes.ts";
import { runOrders } from "./orders.ts";
import { makeHome } from "./place.ts";
import { report } from "./report.ts";

const INTERRUPTED = 130;
const PARTS = { orders: ORDER_PARTS, events: EVENT_PARTS } as const;

const began = performance.now();

/** To the error stream: the figures alone can be put into a file. */
function say(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.error(`${seconds} s  ${line}`);
}

/** Resolves when somebody wants the benchmark to end before it is done. */
function interrupted(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => resolve(undefined));
    }
  });
}

function tell(error: unknown): void {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${usage(PARTS)}`);
  else if (error instanceof SetupProblem) console.error(`\n${error.message}`);
  else console.error(error);
}

interface Figures {
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly result: object;
}

async function measure(argv: readonly string[], home: string, tell: Say): Promise<Figures> {
  if (readBenchmark(argv, ["orders", "events"]) === "orders") {
    const result = await runOrders(readOptions(argv, ORDER_PARTS), home, tell);
    return { text: report(result), result };
  }
  const result = await runEvents(readOptions(argv, EVENT_PARTS), home, tell);
  return { text: reportEvents(result), result };
}

/** The exit code. */
async function run(argv: readonly string[]): Promise<number> {
  const { json } = readOptions(argv, PARTS[readBenchmark(argv, ["orders", "events"])]);
  using home = makeHome();
  const progress = new AbortController();
  const running = measure(argv, home.path, (line) => progress.signal.aborted || say(line));
  const figures = await Promise.race([running, interrupted()]);
  if (figures === undefined) {
    say("stopping");
    progress.abort();
    running.catch(() => undefined); // that it fails now is nobody's concern
    await endEverything();
    return INTERRUPTED;
  }
  console.log(figures.text);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(figures.result, null, 2)}\n`);
  say("done");
  return 0;
}

try {
  process.exit(await run(process.argv.slice(2)));
} catch (error) {
  tell(error);
  process.exit(1);
}

// npm run bench -- orders: measures a stack of its own, and says what it found.
import { writeFile } from "node:fs/promises";
import { SetupProblem } from "../dev/backends/problem.ts";
import { endEverything } from "../dev/process/reaper-link.ts";
import { readOptions, USAGE, UsageError } from "./options.ts";
import { runOrders } from "./orders.ts";
import { makeHome } from "./place.ts";
import { report } from "./report.ts";

const INTERRUPTED = 130;

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
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else if (error instanceof SetupProblem) console.error(`\n${error.message}`);
  else console.error(error);
}

/** The exit code. */
async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  using home = makeHome();
  const progress = new AbortController();
  const running = runOrders(options, home.path, (line) => progress.signal.aborted || say(line));
  const result = await Promise.race([running, interrupted()]);
  if (result === undefined) {
    say("stopping");
    progress.abort();
    running.catch(() => undefined); // that it fails now is nobody's concern
    await endEverything();
    return INTERRUPTED;
  }
  console.log(report(result));
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  say("done");
  return 0;
}

try {
  process.exit(await run());
} catch (error) {
  tell(error);
  process.exit(1);
}

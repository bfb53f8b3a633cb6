// npm run bench -- orders: measures a stack of its own, and says what it found.
import { writeFile } from "node:fs/promises";
import { SetupProblem } from "../dev/backends/problem.ts";
import { endEverything } from "../dev/process/reaper-link.ts";
import { readOptions, USAGE, UsageError } from "./options.ts";
import { runOrders } from "./orders.ts";
import { report } from "./report.ts";

const INTERRUPTED = 130;

const began = performance.now();

/** To the error stream: the figures alone can be put into a file. */
function say(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.error(`${seconds} s  ${line}`);
}

let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    say("stopping");
    void endEverything(); // what runs now fails, and takes its folder with it
  });
}

function tell(error: unknown): void {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else if (error instanceof SetupProblem) console.error(`\n${error.message}`);
  else console.error(error);
}

try {
  const options = readOptions(process.argv.slice(2));
  const result = await runOrders(options, say);
  console.log(report(result));
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  say("done");
  process.exit(0);
} catch (error) {
  if (!interrupted) tell(error);
  process.exit(interrupted ? INTERRUPTED : 1);
}

// npm run faults: every fault against a stack of its own, and a scorecard.
import { writeFile } from "node:fs/promises";
import { SetupProblem } from "../../dev/backends/problem.ts";
import { endEverything } from "../../dev/process/reaper-link.ts";
import { readOptions, USAGE, UsageError } from "./options.ts";
import { report } from "./report.ts";
import { openSuite, type FaultRun } from "./suite.ts";

const INTERRUPTED = 130;
/** With one of these the services would speak to the real providers. */
const PROVIDER_KEYS = ["STRIPE_SECRET_KEY", "RESEND_API_KEY", "TWILIO_AUTH_TOKEN"];

const began = performance.now();

/** To the error stream: the scorecard alone can be put into a file. */
function say(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.error(`${seconds} s  ${line}`);
}

/** Resolves when somebody wants the suite to end before it is done. */
function interrupted(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => resolve(undefined));
    }
  });
}

/** The exit code. */
async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  for (const key of PROVIDER_KEYS) Reflect.deleteProperty(process.env, key);
  say(`seed ${options.seed}`);
  const runs: FaultRun[] = [];
  const running = (async () => {
    await using suite = openSuite({ ...options, say });
    for (const fault of options.faults) runs.push(await suite.run(fault));
    return runs;
  })();
  if ((await Promise.race([running, interrupted()])) === undefined) {
    running.catch(() => undefined); // that it fails now is nobody's concern
    await endEverything();
    return INTERRUPTED;
  }
  if (options.json !== undefined) {
    const { seed } = options;
    await writeFile(options.json, `${JSON.stringify({ seed, runs }, null, 2)}\n`);
  }
  console.log(report(runs, options.seed));
  return runs.every(({ passed }) => passed) ? 0 : 1;
}

try {
  process.exit(await run());
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
  else console.error(error instanceof SetupProblem ? `\n${error.message}` : error);
  process.exit(1);
}

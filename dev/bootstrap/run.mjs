// npm start, npm test and the like: installs what is missing, then hands over to a script on the right Node.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";
import { checkPlatform, findNode } from "./node.mjs";
import { SetupProblem } from "./problem.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCRIPTS = {
  start: "dev/stack/main.ts",
  test: "dev/bootstrap/test.ts",
  demo: "dev/demo/main.ts",
  bench: "bench/main.ts",
  faults: "test/faults/main.ts",
  waybill: "cli/main.ts",
};
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const SIGNAL_EXIT = 128;
const STARTER_POLL_MS = 1000;
/** Where Node keeps what it made of our TypeScript and of the packages: every start after the first one is quicker, and smaller. */
const COMPILE_CACHE = join(ROOT, "node_modules", ".cache", "waybill", "compile");
/** The descriptor on which the script sees that we are gone. */
const PIPE = 3;

/** @param {string[]} argv the command and what is handed on to its script */
export async function run([command, ...args]) {
  try {
    const script = Object.hasOwn(SCRIPTS, command ?? "") ? SCRIPTS[command] : command;
    if (!script?.endsWith(".ts")) {
      const known = Object.keys(SCRIPTS).join("|");
      throw new SetupProblem(`Usage: node dev/bootstrap.mjs ${known} [arguments]`);
    }
    checkPlatform();
    await install(ROOT);
    handOver(findNode(ROOT), [join(ROOT, script), ...args]);
  } catch (error) {
    console.error(error instanceof SetupProblem ? `\n${error.message}` : error);
    process.exit(1);
  }
}

function handOver(node, args) {
  const path = [join(ROOT, "node_modules", ".bin"), dirname(node), process.env.PATH ?? ""];
  const child = spawn(node, args, {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...process.env,
      PATH: path.join(delimiter),
      WAYBILL_STARTER_PIPE: String(PIPE),
    },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  const watching = watchNpm(() => child.kill("SIGTERM"));
  child.once("error", (error) => {
    console.error(`${node} cannot be run: ${error.message}`);
    process.exit(1);
  });
  child.once("exit", (code, signal) => {
    clearInterval(watching);
    process.exit(signal === null ? (code ?? 1) : SIGNAL_EXIT + constants.signals[signal]);
  });
}

/** npm that is killed takes nobody with it, and then nobody could press Ctrl-C: we stop too. */
function watchNpm(gone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const starter = process.ppid;
  return setInterval(() => {
    if (process.ppid !== starter) gone();
  }, STARTER_POLL_MS).unref();
}

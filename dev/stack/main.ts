// npm start: the whole of Waybill on this machine, until Ctrl-C.
import { Socket } from "node:net";
import { parseArgs } from "node:util";
import { SetupProblem } from "../backends/problem.ts";
import { endEverything, killEverything } from "../process/reaper-link.ts";
import { card } from "./card.ts";
import { beginAnew } from "./fresh.ts";
import { homeAt, lockHome } from "./home.ts";
import { type Stack, startStack } from "./start-stack.ts";

const DEFAULT_PORT = 8080;
const DEFAULT_HOME = ".waybill";
/** One Ctrl-C reaches us up to three times: from the terminal, from npm and from the bootstrap. */
const SAME_CTRL_C_MS = 1000;
const KILLED_BY_CTRL_C = 130;

const began = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`${seconds} s  ${line}`);
}

/** Resolves when somebody wants the stack to end; a second wish kills. */
function stopWished(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const wish = () => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        say("stopping (Ctrl-C again kills)");
        resolve();
      } else if (now - first > SAME_CTRL_C_MS) {
        killEverything();
        process.exit(KILLED_BY_CTRL_C);
      }
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, wish);
    watchStarter(() => first ?? wish());
  });
}

/** The bootstrap holds the other end of a pipe: when it is killed, so that nobody could stop us, we stop. */
function watchStarter(gone: () => void): void {
  const fd = Number(process.env["WAYBILL_STARTER_PIPE"]);
  if (!(fd > 2)) return;
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.once("close", gone).on("error", gone).resume().unref();
}

function readPort(): number {
  const text = process.env["WAYBILL_PORT"] || String(DEFAULT_PORT);
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new SetupProblem(`WAYBILL_PORT is "${text}"; it must be a port, or 0 for any free one.`);
}

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { fresh: { type: "boolean", default: false } } });
  const namespace = process.env["WAYBILL_NAMESPACE"] ?? "";
  const home = homeAt(process.env["WAYBILL_HOME"] || DEFAULT_HOME);
  const port = readPort();
  using _lock = lockHome(home);
  if (values.fresh) await beginAnew(home, namespace, say);
  const stop = stopWished();
  const starting = startStack({ home: home.folder, port, namespace, say });
  const running = await Promise.race([starting, stop]);
  if (running === undefined) {
    await endEverything(); // it was still starting, and fails now, which is nobody's concern
    await starting.catch(() => undefined);
    return;
  }
  await using stack: Stack = running;
  console.log(card(stack.stack, home.stackFile));
  await stop;
}

process.stdout.on("error", () => undefined); // who read our lines is gone; the stack goes on
try {
  await run();
  say("everything has stopped");
  process.exit(0);
} catch (error) {
  const expected = error instanceof SetupProblem;
  console.error(
    `\n${expected ? error.message : error instanceof Error ? error.stack : String(error)}`,
  );
  process.exit(1);
}

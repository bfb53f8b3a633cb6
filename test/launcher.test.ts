// The promise: `npm start` gives a working shop in one command, once per home, and leaves no process behind, however it ends.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, inject, test } from "vitest";
import type { StackFile } from "../dev/stack/stack-file.ts";
import { eventually } from "./harness/eventually.ts";
import { ask } from "./harness/http.ts";
import { newNamespace, openFolder, takeAway } from "./harness/stack.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STARTED_WITHIN_MS = 30_000;
/** What Ctrl-C promises. */
const STOPPED_WITHIN_MS = 15_000;

const servers = inject("servers");
const namespace = newNamespace();
const folder = openFolder();
const home = join(folder.path, "home");
const launchers: Launcher[] = [];
afterAll(async () => {
  for (const launcher of launchers) launcher.signal("SIGKILL");
  // Should the launcher have broken its promise, nothing is left all the same.
  await eventually(() => expect(livingOf(startedHere)).toEqual([])).catch(() => {
    for (const pid of livingOf(startedHere)) process.kill(pid, "SIGKILL");
  });
  folder[Symbol.dispose]();
  if (servers.areGiven) await takeAway(servers, namespace);
});

interface Launcher {
  readonly process: ChildProcess;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  readonly said: () => string;
  /** Reaches npm's and the launcher's processes, as Ctrl-C in a terminal does; those of the stack have groups of their own. */
  signal(name: NodeJS.Signals): void;
}

function launch(): Launcher {
  const child = spawn(process.execPath, ["dev/bootstrap.mjs", "start"], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      WAYBILL_HOME: home,
      WAYBILL_PORT: "0",
      WAYBILL_NAMESPACE: namespace,
      DATABASE_URL: servers.postgresUrl,
      KAFKA_BROKERS: servers.brokers.join(","),
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += String(chunk)));
  const launcher: Launcher = {
    process: child,
    ended: once(child, "close").then(([code]) => code as number | null),
    said: () => said,
    signal: (name) => {
      if (child.exitCode === null && child.signalCode === null)
        process.kill(-(child.pid ?? 0), name);
    },
  };
  launchers.push(launcher);
  return launcher;
}

/** Every process that was ever seen in the home. */
const startedHere = new Set<number>();

/** Waits for the card, which comes last, and gives what stack.json says. */
async function started(launcher: Launcher): Promise<StackFile> {
  await eventually(() => expect(launcher.said()).toContain("Ctrl-C stops it"), {
    withinMs: STARTED_WITHIN_MS,
  });
  for (const file of readdirSync(join(home, "run"))) {
    const { pid } = JSON.parse(readFileSync(join(home, "run", file), "utf8")) as { pid: number };
    startedHere.add(pid);
  }
  const stack: StackFile = JSON.parse(readFileSync(join(home, "stack.json"), "utf8"));
  for (const { pid } of Object.values(stack.services)) startedHere.add(pid);
  return stack;
}

const livingOf = (pids: Iterable<number>) =>
  [...pids].filter((pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false; // it is gone
    }
  });

test("npm start gives a working shop, once per home, and leaves nothing behind when it is killed or stopped", async () => {
  const first = launch();
  const stack = await started(first);
  expect(startedHere.size).toBe(5);

  // The lines of the card work as they are.
  const token = first.said().match(/^ALICE=.+$/m)?.[0];
  const curl = first.said().match(/^curl .*-d .*$/m)?.[0];
  const { stdout } = await promisify(execFile)("sh", ["-c", `${token}\n${curl}`]);
  const { order } = JSON.parse(stdout) as { order: { id: string } };
  await eventually(() => paid(stack, order.id));

  // One home, one stack.
  const second = launch();
  expect(await second.ended).toBe(1);
  expect(second.said()).toContain(`Waybill runs already at ${stack.gateway}`);
  await paid(stack, order.id);

  // Killed without a chance to clean up.
  first.signal("SIGKILL");
  await eventually(() => expect(livingOf(startedHere)).toEqual([]), {
    withinMs: STOPPED_WITHIN_MS,
  });

  // The next start finds all that there was, and ends in order.
  const third = launch();
  const again = await started(third);
  await paid(again, order.id);
  third.signal("SIGINT");
  expect(await third.ended).toBe(0);
  expect(third.said()).toContain("everything has stopped");
  expect(livingOf(startedHere)).toEqual([]);
  expect(existsSync(join(home, "lock"))).toBe(false);
}, 90_000);

async function paid(stack: StackFile, orderId: string): Promise<void> {
  const { alice } = stack.tokens;
  const answer = await ask(`${stack.gateway}/v1/orders/${orderId}`, { token: alice });
  expect(answer.json).toMatchObject({ order: { status: "ORDER_STATUS_PAID" } });
}

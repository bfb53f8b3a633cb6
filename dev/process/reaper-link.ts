// The thread to the reaper: one per process, opened with the first child that is started.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { signalGroup } from "./pid-file.ts";
import type { ReaperLine } from "./reaper.ts";

const SCRIPT = fileURLToPath(new URL("reaper.ts", import.meta.url));

const living = new Map<number, ReaperLine>();
let reaper: ChildProcess | undefined;
let closing = false;

/** Puts a process that this one started into the reaper's care. */
export function tellStarted(pid: number, rank: number, stopSignal: NodeJS.Signals): void {
  const line: ReaperLine = { started: pid, rank, stopSignal };
  living.set(pid, line);
  if (reaper === undefined) reaper = openReaper();
  else tell(reaper, line);
}

/** Ends all that this process started, in order; nothing can be started afterwards. */
export async function endEverything(): Promise<void> {
  closing = true;
  const child = reaper;
  if (child === undefined) return;
  child.ref();
  const ended = once(child, "exit");
  child.stdin?.end();
  await ended;
}

/** Kills all that this process started, without asking; nothing can be started afterwards. */
export function killEverything(): void {
  closing = true;
  for (const pid of living.keys()) signalGroup(pid, "SIGKILL");
}

/** True once everything is being ended. */
export function isEnding(): boolean {
  return closing;
}

/** Takes a process that has ended out of the reaper's care. */
export function tellEnded(pid: number): void {
  living.delete(pid);
  if (reaper !== undefined) tell(reaper, { ended: pid });
}

/** A reaper that somebody killed is replaced with the next child; it is told of all that still live. */
function openReaper(): ChildProcess {
  const child = spawn(process.execPath, [SCRIPT], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  const forget = () => {
    if (reaper === child) reaper = undefined;
  };
  child.once("error", forget).once("exit", forget);
  child.stdin?.on("error", forget);
  // It must not keep its parent alive: that the parent ends is what it waits for.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  for (const line of living.values()) tell(child, line);
  return child;
}

function tell(child: ChildProcess, line: ReaperLine): void {
  child.stdin?.write(`${JSON.stringify(line)}\n`);
}

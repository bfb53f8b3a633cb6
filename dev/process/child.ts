// Starts a server as a process group of its own: Ctrl-C in the terminal reaches the launcher alone, which then
// stops the groups in order, and a launcher that is killed has its groups ended by the reaper.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, rename, rm, stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { endLeftover, signalGroup, writePidFile } from "./pid-file.ts";
import { isEnding, tellEnded, tellStarted } from "./reaper-link.ts";

/** A log that has grown beyond this many bytes is put aside (one old one is kept) at the next start. */
const LOG_LIMIT_BYTES = 20_000_000;
const TAIL_BYTES = 16_384;

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whom to run as; only root can choose. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** Where the process is written down, so that the next start finds it if this launcher is killed. */
  readonly pidFile: string;
  /** How the server is asked to stop (default SIGTERM). */
  readonly stopSignal?: NodeJS.Signals;
  /** Lower ranks are stopped first when the launcher is gone. */
  readonly rank: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to stop, and kills it when it has not stopped within so many milliseconds. */
  stop(withinMs: number): Promise<Exit>;
}

/** Starts the process after ending one that an earlier launcher left behind under the same pid file. */
export async function startChild(options: ChildOptions): Promise<Child> {
  await endLeftover(options.pidFile);
  await putLogAside(options.logFile);
  if (isEnding()) throw new Error(`${options.name} is not started: everything is being ended.`);
  const log = await open(options.logFile, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn(options.command, options.args, {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: options.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...options.user,
    });
    await once(child, "spawn");
  } finally {
    await log.close();
  }
  return watch(child, options);
}

async function watch(process: ChildProcess, options: ChildOptions): Promise<Child> {
  const { pid } = process;
  if (pid === undefined) throw new Error(`${options.name} has no process number.`);
  const stopSignal = options.stopSignal ?? "SIGTERM";
  tellStarted(pid, options.rank, stopSignal);
  let running = true;
  const exited = new Promise<Exit>((resolve) => {
    process.once("exit", (code, signal) => {
      running = false;
      tellEnded(pid);
      rm(options.pidFile, { force: true }).then(
        () => resolve({ code, signal }),
        () => resolve({ code, signal }), // the record is only a trace: it names a process that is gone
      );
    });
  });
  if (process.exitCode === null) await writePidFile(options.pidFile, pid, stopSignal);
  const kill = (signal: NodeJS.Signals) => {
    if (running) signalGroup(pid, signal);
  };
  return {
    name: options.name,
    pid,
    get running() {
      return running;
    },
    exited,
    kill,
    stop: async (withinMs) => {
      kill(stopSignal);
      const late = new AbortController();
      const killLate = pause(withinMs, undefined, { signal: late.signal }).then(
        () => kill("SIGKILL"),
        () => undefined, // it stopped in time
      );
      const exit = await exited;
      late.abort();
      await killLate;
      return exit;
    },
  };
}

/** The last lines of a log, for the message that says why a process died. */
export async function lastLines(logFile: string, count: number): Promise<string[]> {
  const file = await open(logFile, "r").catch(() => undefined); // it may have died before it wrote
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    return lines.slice(-count);
  } finally {
    await file.close();
  }
}

async function putLogAside(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0, // the first start writes it
  );
  if (size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.old`);
}

/** The variables of our own environment that any child needs to find programs and places. */
export function plainEnvironment(): Record<string, string> {
  const names = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "TZ",
    "JAVA_HOME",
    "NODE_EXTRA_CA_CERTS",
    "NODE_COMPILE_CACHE",
  ];
  const entries = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => !!entry[1]));
}

// Remembers which process was started, so that the next start can end what a killed launcher left behind.
import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { processIdentity } from "./identity.ts";

const STOP_WITHIN_MS = 10_000;
const POLL_MS = 50;

interface PidRecord {
  readonly pid: number;
  readonly identity: string;
  readonly stopSignal: NodeJS.Signals;
}

/** Writes down a process that was just started. */
export async function writePidFile(
  path: string,
  pid: number,
  stopSignal: NodeJS.Signals,
): Promise<void> {
  const identity = processIdentity(pid);
  if (identity === undefined) return; // gone already
  const record: PidRecord = { pid, identity, stopSignal };
  await writeFile(path, JSON.stringify(record), { mode: 0o600 });
}

/** Ends the process that the file names if it still lives, first politely, then by SIGKILL; removes the file. */
export async function endLeftover(path: string): Promise<void> {
  const record = await readRecord(path);
  if (record === undefined) return;
  const lives = () => processIdentity(record.pid) === record.identity;
  if (lives()) signalGroup(record.pid, record.stopSignal);
  const deadline = Date.now() + STOP_WITHIN_MS;
  while (lives() && Date.now() < deadline) await pause(POLL_MS);
  while (lives()) {
    signalGroup(record.pid, "SIGKILL");
    await pause(POLL_MS);
  }
  await rm(path, { force: true });
}

/** Signals the whole group that the process leads; a group that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "ESRCH") throw error;
  }
}

async function readRecord(path: string): Promise<PidRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return undefined; // none was written
  }
  try {
    const record: Partial<PidRecord> = JSON.parse(text);
    const { pid, identity, stopSignal } = record;
    if (typeof pid !== "number" || typeof identity !== "string") return undefined;
    return { pid, identity, stopSignal: stopSignal ?? "SIGTERM" };
  } catch {
    return undefined; // cut off while it was written: its process was never reported as started
  }
}

// A process of its own that ends what its parent started when the parent is gone, be it by kill -9.
// It is told on its standard input what was started and what ended; the end of that input is the parent's end.
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { processIdentity } from "./identity.ts";
import { signalGroup } from "./pid-file.ts";

/** One line of the input. Processes of a lower rank are stopped first. */
export type ReaperLine =
  | {
      readonly started: number;
      readonly rank: number;
      readonly stopSignal: NodeJS.Signals;
    }
  | { readonly ended: number };

interface Charge {
  readonly pid: number;
  readonly identity: string;
  readonly rank: number;
  readonly stopSignal: NodeJS.Signals;
}

const STOP_WITHIN_MS = 10_000;
const POLL_MS = 50;

const charges = new Map<number, Charge>();

function note(line: ReaperLine): void {
  if ("ended" in line) {
    charges.delete(line.ended);
    return;
  }
  const identity = processIdentity(line.started);
  if (identity !== undefined) charges.set(line.started, { ...line, pid: line.started, identity });
}

function lives(charge: Charge): boolean {
  return processIdentity(charge.pid) === charge.identity;
}

async function stopAll(wave: readonly Charge[], deadline: number): Promise<void> {
  for (const charge of wave) if (lives(charge)) signalGroup(charge.pid, charge.stopSignal);
  while (wave.some(lives)) {
    await pause(POLL_MS);
    if (Date.now() < deadline) continue;
    for (const charge of wave) if (lives(charge)) signalGroup(charge.pid, "SIGKILL");
  }
}

async function reap(): Promise<void> {
  const ranks = [...new Set([...charges.values()].map((charge) => charge.rank))];
  // The last rank is the servers that hold data: they get time of their own.
  let deadline = Date.now() + STOP_WITHIN_MS;
  for (const [index, rank] of ranks.toSorted((a, b) => a - b).entries()) {
    if (index > 0 && index === ranks.length - 1) deadline = Date.now() + STOP_WITHIN_MS;
    const wave = [...charges.values()].filter((charge) => charge.rank === rank);
    await stopAll(wave, deadline);
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const told: ReaperLine = JSON.parse(line);
  note(told);
}
await reap();

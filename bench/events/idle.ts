// What a stack costs that nobody asks anything: the CPU of each of its processes, and their memory.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Say } from "../../dev/backends/problem.ts";
import { SERVICES } from "../../dev/stack/stack-file.ts";
import { type Stack, startStack } from "../../dev/stack/start-stack.ts";
import { cpuBetween, sampleCpu } from "../cpu.ts";
import type { Place } from "../place.ts";
import type { ProfileSummary } from "../profile.ts";
import { profilerEnvironment, profileStack } from "../stack-profiles.ts";
import { serversOf } from "./meter.ts";

/** Until everything that starts has started, polls have backed off and code is compiled. */
const SETTLE_MS = 10_000;
const KIB_PER_MIB = 1024;

export interface IdleProcess {
  readonly name: string;
  /** Of one core, 0 to 1. */
  readonly core: number;
  /** Times a second that its main thread went to sleep: so often it was woken. Undefined for servers of many threads. */
  readonly wakeUps: number | undefined;
  /** MiB that it holds in memory. */
  readonly memory: number;
}

export interface IdleResult {
  readonly processes: readonly IdleProcess[];
  /** Of a second look, with the profiler on: CPU profiles of the services. */
  readonly profiles: readonly ProfileSummary[];
}

export interface IdleSizes {
  readonly idleSeconds: number;
  /** The folder for the raw CPU profiles; without it none are taken. */
  readonly profiles: string | undefined;
}

export async function measureIdle(
  place: Place,
  { idleSeconds, profiles }: IdleSizes,
  say: Say,
): Promise<IdleResult> {
  const { home, namespace } = place;
  await using stack = await startStack({
    home: join(home, "idle"),
    port: 0,
    namespace,
    backends: place,
    env: { all: profilerEnvironment(home) },
    say: () => undefined,
  });
  say(`idle: a stack at rest, ${idleSeconds} s`);
  await pause(SETTLE_MS);
  const processes = await measureProcesses(place, stack, idleSeconds);
  if (profiles === undefined) return { processes, profiles: [] };
  const options = { folder: home, keep: profiles };
  const profile = await profileStack(stack, options, () => pause(idleSeconds * 1000));
  return { processes, profiles: profile.processes };
}

async function measureProcesses(
  place: Place,
  stack: Stack,
  seconds: number,
): Promise<IdleProcess[]> {
  const own = SERVICES.map((name) => {
    return { name, pid: stack.stack.services[name].pid, children: false };
  });
  const processes = [...own, ...serversOf(place)];
  const before = sampleCpu(processes);
  const sleeps = processes.map(({ pid }) => statusOf(pid).sleeps);
  const began = performance.now();
  await pause(seconds * 1000);
  const elapsed = (performance.now() - began) / 1000;
  const used = new Map(cpuBetween(before, sampleCpu(processes)));
  return processes.map(({ name, pid }, index) => {
    const status = statusOf(pid);
    return {
      name,
      core: (used.get(name) ?? Number.NaN) / elapsed,
      wakeUps: index < own.length ? (status.sleeps - (sleeps[index] ?? 0)) / elapsed : undefined,
      memory: status.kib / KIB_PER_MIB,
    };
  });
}

/** NaN where there is no /proc. */
function statusOf(pid: number): { sleeps: number; kib: number } {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return { sleeps: Number.NaN, kib: Number.NaN };
  }
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);
  return { sleeps: field("voluntary_ctxt_switches"), kib: field("VmRSS") };
}

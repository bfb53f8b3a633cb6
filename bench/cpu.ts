// The CPU time that processes have used, from /proc: all of their threads, and of PostgreSQL its workers too.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

/** Ticks of /proc a second: the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Of /proc/<pid>/stat, counted behind the command's closing bracket. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;
const ENDED_CHILDREN_USER_FIELD = 13;
const ENDED_CHILDREN_SYSTEM_FIELD = 14;

/** A process whose work is counted; the living children count too where `children` is true. */
export interface Counted {
  readonly name: string;
  readonly pid: number;
  readonly children: boolean;
}

/** Seconds of CPU since its start, by the process's name. */
export type CpuSample = ReadonlyMap<string, number>;

/** The present state. Empty where there is no /proc. */
export function sampleCpu(processes: readonly Counted[]): CpuSample {
  const sample = new Map<string, number>();
  if (!existsSync("/proc/self/stat")) return sample;
  for (const { name, pid, children } of processes) {
    const pids = children ? [pid, ...childrenOf(pid)] : [pid];
    const ticks = pids.reduce((sum, each) => sum + ticksOf(each, children), 0);
    sample.set(name, ticks / TICKS_PER_SECOND);
  }
  return sample;
}

/** Seconds that each has used between two samples, in the order of the first. */
export function cpuBetween(before: CpuSample, after: CpuSample): [name: string, seconds: number][] {
  return [...before].map(([name, seconds]) => [name, (after.get(name) ?? seconds) - seconds]);
}

/**
 * Begins to watch the rest of the machine; what it returns ends that, and gives the share of all cores that was used by
 * neither these processes nor this one. Undefined where it cannot be told.
 */
export function watchOthers(processes: readonly Counted[]): () => number | undefined {
  const began = performance.now();
  const all = machineSeconds();
  const counted = sampleCpu(processes);
  const own = process.cpuUsage();
  return () => {
    if (counted.size === 0) return undefined;
    const ours = cpuBetween(counted, sampleCpu(processes)).reduce((sum, [, each]) => sum + each, 0);
    const { user, system } = process.cpuUsage(own);
    const others = machineSeconds() - all - ours - (user + system) / 1_000_000;
    const cores = (availableParallelism() * (performance.now() - began)) / 1000;
    return Math.max(0, others / cores);
  };
}

function machineSeconds(): number {
  const busy = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return busy.reduce((sum, each) => sum + each, 0) / 1000;
}

/** PostgreSQL's own children, each a connection or a worker; those that end are counted by their parent. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

function ticksOf(pid: number, withEndedChildren: boolean): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return 0; // it ended meanwhile: its parent counts it
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const at = (field: number) => Number(fields[field] ?? 0);
  const ended = at(ENDED_CHILDREN_USER_FIELD) + at(ENDED_CHILDREN_SYSTEM_FIELD);
  return at(USER_FIELD) + at(SYSTEM_FIELD) + (withEndedChildren ? ended : 0);
}

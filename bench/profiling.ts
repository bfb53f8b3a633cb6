// Takes the CPU profiles of the services that an order's POST passes through, while orders come in.
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Arena } from "./arena.ts";
import { type LoadResult, sendLoad } from "./load.ts";
import { type CpuProfile, type ProfileSummary, summarize } from "./profile.ts";

const PROFILED = ["gateway", "order", "payment", "notification"] as const;
const CONNECTIONS = 32;
const WRITTEN_WITHIN_MS = 30_000;
const POLL_MS = 50;

export interface ProfileResult {
  /** Slower than without the profiler: its own figures do not count. */
  readonly load: LoadResult;
  readonly processes: readonly ProfileSummary[];
}

/** `keep`: the folder in which the raw profiles are kept, if any. */
export async function takeProfiles(
  arena: Arena,
  seconds: number,
  keep: string | undefined,
): Promise<ProfileResult> {
  for (const name of PROFILED) await arena.stack.killService(name, "SIGUSR2");
  const load = await sendLoad({ ...arena, connections: CONNECTIONS, until: { seconds } });
  for (const name of PROFILED) await arena.stack.killService(name, "SIGUSR2");
  if (keep !== undefined) await mkdir(keep, { recursive: true });
  const processes: ProfileSummary[] = [];
  for (const name of PROFILED) {
    const file = join(arena.profiles, `${arena.stack.stack.services[name].pid}.cpuprofile`);
    await written(file);
    if (keep !== undefined) await copyFile(file, join(keep, `${name}.cpuprofile`));
    processes.push(summarize(name, JSON.parse(await readFile(file, "utf8")) as CpuProfile));
  }
  return { load, processes };
}

async function written(file: string): Promise<void> {
  const deadline = performance.now() + WRITTEN_WITHIN_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`No profile was written to ${file}.`);
    await pause(POLL_MS);
  }
}

// CPU profiles of the services of a stack, begun and ended from outside.
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { SERVICES } from "../dev/stack/stack-file.ts";
import type { Stack } from "../dev/stack/start-stack.ts";
import { type CpuProfile, type ProfileSummary, summarize } from "./profile.ts";
import { PROFILE_FOLDER_SETTING } from "./profiled.ts";

const WRITTEN_WITHIN_MS = 30_000;
const POLL_MS = 50;

/** For the processes of a stack: the profiler is loaded into each, and sleeps there until it is asked. */
export function profilerEnvironment(folder: string): Record<string, string> {
  const preload = pathToFileURL(join(import.meta.dirname, "profiled.ts")).href;
  return {
    NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${preload}`.trim(),
    [PROFILE_FOLDER_SETTING]: folder,
  };
}

export interface ProfilesOptions {
  /** Where the services put their profiles: what their environment was told. */
  readonly folder: string;
  /** The folder in which the raw profiles are kept, if any. */
  readonly keep: string | undefined;
}

/** Profiles all services while the work is done. */
export async function profileStack<T>(
  stack: Stack,
  { folder, keep }: ProfilesOptions,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly processes: readonly ProfileSummary[] }> {
  for (const name of SERVICES) await stack.killService(name, "SIGUSR2");
  const result = await work();
  for (const name of SERVICES) await stack.killService(name, "SIGUSR2");
  if (keep !== undefined) await mkdir(keep, { recursive: true });
  const processes: ProfileSummary[] = [];
  for (const name of SERVICES) {
    const file = join(folder, `${stack.stack.services[name].pid}.cpuprofile`);
    await written(file);
    if (keep !== undefined) await copyFile(file, join(keep, `${name}.cpuprofile`));
    processes.push(summarize(name, JSON.parse(await readFile(file, "utf8")) as CpuProfile));
  }
  return { result, processes };
}

async function written(file: string): Promise<void> {
  const deadline = performance.now() + WRITTEN_WITHIN_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`No profile was written to ${file}.`);
    await pause(POLL_MS);
  }
}

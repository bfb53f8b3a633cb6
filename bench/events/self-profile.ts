// The CPU profile of this process while it does one piece of work.
import { mkdir, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { type CpuProfile, type ProfileSummary, summarize } from "../profile.ts";

const SAMPLING_INTERVAL_US = 500;

export interface Profiled<T> {
  readonly result: T;
  readonly profile: ProfileSummary | undefined;
}

/** Without a folder for the raw profile none is taken: a profile slows down what is measured. */
export async function profiled<T>(
  name: string,
  folder: string | undefined,
  work: () => Promise<T>,
): Promise<Profiled<T>> {
  if (folder === undefined) return { result: await work(), profile: undefined };
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL_US });
  await session.post("Profiler.start");
  const result = await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
  return { result, profile: summarize(name, profile as CpuProfile) };
}

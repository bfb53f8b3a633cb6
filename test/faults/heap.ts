// How much memory the services' own objects take, after garbage was collected.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { eventually } from "../harness/eventually.ts";
import { HEAP_FOLDER_SETTING } from "./heap-probe.ts";
import type { Replica } from "./replicas.ts";

const ANSWER_WITHIN_MS = 10_000;

/** The settings that put the probe into each service. */
export function probeSettings(folder: string): Readonly<Record<string, string>> {
  const probe = pathToFileURL(join(import.meta.dirname, "heap-probe.ts")).href;
  const NODE_OPTIONS = `${process.env["NODE_OPTIONS"] ?? ""} --import=${probe}`.trim();
  return { NODE_OPTIONS, [HEAP_FOLDER_SETTING]: folder };
}

/** Bytes of the heap by process: one that was restarted meanwhile is another process. */
export async function heapsOf(
  folder: string,
  replicas: readonly Replica[],
): Promise<ReadonlyMap<number, number>> {
  const heaps = replicas.map(async (replica): Promise<[number, number]> => {
    const pid = replica.pid();
    const file = join(folder, `${pid}.heap`);
    await rm(file, { force: true });
    await replica.signal("SIGUSR2");
    const text = await eventually(() => readFile(file, "utf8"), { withinMs: ANSWER_WITHIN_MS });
    return [pid, Number(text)];
  });
  return new Map(await Promise.all(heaps));
}

/** By how much the heap of any process grew between the two, in megabytes. */
export function mostGrownMb(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): number {
  const growths = [...before].map(([pid, bytes]) => (after.get(pid) ?? bytes) - bytes);
  return Math.max(...growths) / 1e6;
}

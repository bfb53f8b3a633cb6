// Counts what the services logged as errors since a moment.
import { readFile, stat } from "node:fs/promises";
import type { Replica } from "./replicas.ts";

/** Of pino: 50 is an error, 60 is fatal. */
const ERROR_LEVEL = 50;

export interface LogMark {
  /** The messages of the errors since the mark, by replica, each with how often it came. */
  errors(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>>;
}

export async function markLogs(replicas: readonly Replica[]): Promise<LogMark> {
  const starts = await Promise.all(replicas.map(async ({ logFile }) => (await stat(logFile)).size));
  return {
    errors: async () =>
      new Map(
        await Promise.all(
          replicas.map(async ({ name, logFile }, place) => {
            const bytes = await readFile(logFile);
            const text = bytes.subarray(starts[place] ?? 0).toString("utf8");
            return [name, errorsIn(text)] as const;
          }),
        ),
      ),
  };
}

function errorsIn(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const message = errorOf(line);
    if (message !== undefined) counts.set(message, (counts.get(message) ?? 0) + 1);
  }
  return counts;
}

function errorOf(line: string): string | undefined {
  try {
    const entry = JSON.parse(line) as { level: number | string; msg?: string; message?: string };
    const isError = entry.level === "error" || Number(entry.level) >= ERROR_LEVEL;
    return isError ? (entry.msg ?? entry.message ?? "") : undefined;
  } catch {
    return undefined; // an empty line, or one that is still being written
  }
}

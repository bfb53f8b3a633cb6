// Under which conditions the figures came about: without them they say nothing.
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { versionOf } from "../dev/backends/postgres.ts";
import type { Place } from "./place.ts";

const GIB = 1024 ** 3;

export interface Conditions {
  /** RFC 3339. */
  readonly time: string;
  readonly quick: boolean;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly node: string;
  readonly postgres: string;
  readonly kafka: string;
  /** Processes that wanted a core over the last minute, before we began: near 0 on a quiet machine. */
  readonly loadBefore: number;
  readonly settings: readonly string[];
}

/** `settings`: what else is set, of this benchmark alone. */
export async function conditionsOf(
  place: Place,
  quick: boolean,
  settings: readonly string[],
): Promise<Conditions> {
  const { postgres, kafka } = place;
  return {
    time: new Date().toISOString(),
    quick,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    memoryGib: Math.round(totalmem() / GIB),
    node: process.version,
    postgres: `${await versionOf(postgres.url)} (${postgres.kind})`,
    kafka: `${kafka.own?.version ?? "version unknown"} (${kafka.kind})`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    settings: [
      "everything on one machine, the load generator too; loopback, no TLS",
      "PostgreSQL with fsync and synchronous_commit as the server has them (embedded: on)",
      ...settings,
    ],
  };
}

export function describeConditions(c: Conditions): string {
  return [
    `${c.time}${c.quick ? ", --quick: a look, no measurement" : ""}`,
    `${c.cores} cores (${c.cpu}), ${c.memoryGib} GiB, load before: ${c.loadBefore}`,
    `Node ${c.node}, PostgreSQL ${c.postgres}, Apache Kafka ${c.kafka}`,
    ...c.settings.map((setting) => `- ${setting}`),
  ].join("\n");
}

// How many orders a second the database could take if nothing but the database had to work.
import { createDatabase, databaseName, dropDatabase } from "../dev/backends/databases.ts";
import { migrateDatabase } from "../src/platform/database/migrate.ts";
import { cpuBetween, sampleCpu } from "./cpu.ts";
import { runDriver } from "./limit-driver.ts";
import { type LimitRun, pgbenchVersion, runPgbench } from "./limit-pgbench.ts";
import type { Manner } from "./limit-statements.ts";
import { type Latency, latencyOf } from "./percentiles.ts";
import type { Place } from "./place.ts";

const MIGRATIONS = new URL("../migrations/order/", import.meta.url);
const CLIENTS = [1, 8, 32] as const;
const MANNERS: readonly Manner[] = ["steps", "at-once"];

export interface LimitFigure {
  readonly manner: Manner;
  readonly clients: number;
  readonly perSecond: number;
  readonly latency: Latency;
  /** CPU of PostgreSQL per order, in microseconds; undefined for a server that is not ours. */
  readonly postgresMicros: number | undefined;
}

export interface DatabaseLimit {
  /** Such as "pgbench (PostgreSQL) 15.18". */
  readonly by: string;
  readonly figures: readonly LimitFigure[];
}

/** In a database of its own with the Order service's tables and indexes, before the services are started. */
export async function measureLimit(place: Place, seconds: number): Promise<DatabaseLimit> {
  const name = `${databaseName("order", place.namespace)}_limit`;
  const version = pgbenchVersion();
  const run = version === undefined ? runDriver : runPgbench;
  const url = await createDatabase(place.postgres.url, name);
  try {
    await migrateDatabase({ url, folder: MIGRATIONS });
    const figures: LimitFigure[] = [];
    for (const manner of MANNERS) {
      for (const clients of CLIENTS) {
        const o = { url, manner, clients, seconds, run: figures.length + 1 };
        figures.push(await measure(place, run, o));
      }
    }
    return { by: version ?? "postgres.js, in one process", figures };
  } finally {
    await dropDatabase(place.postgres.url, name);
  }
}

async function measure(
  place: Place,
  run: (o: LimitRun) => Promise<number[]>,
  o: LimitRun,
): Promise<LimitFigure> {
  const pid = place.postgres.own?.pid;
  const counted = pid === undefined ? [] : [{ name: "PostgreSQL", pid, children: true }];
  const before = sampleCpu(counted);
  const latency = latencyOf(await run(o));
  const [used] = cpuBetween(before, sampleCpu(counted));
  const { manner, clients, seconds } = o;
  return {
    manner,
    clients,
    perSecond: latency.count / seconds,
    latency,
    postgresMicros: used && (used[1] * 1_000_000) / latency.count,
  };
}

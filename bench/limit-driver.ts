// The database's limit measured through postgres.js, where there is no pgbench: the driver's own cost is in it.
import postgres from "postgres";
import type { LimitRun } from "./limit-pgbench.ts";
import { AT_ONCE, STEPS } from "./limit-statements.ts";

const RUNS_APART = 2n ** 48n;
const CLIENTS_APART = 2n ** 36n;

const bound = (sql: string): string => sql.replaceAll(/(?<!:):n\b/g, "$1");

/** The latency of each transaction, in milliseconds. */
export async function runDriver(o: LimitRun): Promise<number[]> {
  const sql = postgres(o.url, { max: o.clients, onnotice: () => undefined });
  try {
    const end = performance.now() + o.seconds * 1000;
    const clients = Array.from({ length: o.clients }, (_, client) =>
      runClient(sql, o, client, end),
    );
    return (await Promise.all(clients)).flat();
  } finally {
    await sql.end();
  }
}

async function runClient(
  sql: postgres.Sql,
  o: LimitRun,
  client: number,
  end: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let n = BigInt(o.run) * RUNS_APART + BigInt(client) * CLIENTS_APART;
  while (performance.now() < end) {
    n += 1n;
    const began = performance.now();
    if (o.manner === "at-once") await sql.unsafe(bound(AT_ONCE), [String(n)], { prepare: true });
    else await inSteps(sql, String(n));
    latencies.push(performance.now() - began);
  }
  return latencies;
}

const inSteps = (sql: postgres.Sql, n: string) =>
  sql.begin(async (tx) => {
    for (const step of STEPS) await tx.unsafe(bound(step), [n], { prepare: true });
  });

// The database's limit measured by pgbench, PostgreSQL's own load generator: it costs the least of all clients.
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AT_ONCE, type Manner, STEPS } from "./limit-statements.ts";

/** Of a line of pgbench's log: what a transaction took, in microseconds. */
const TIME_COLUMN = 2;
const MOST_THREADS = 2;

export interface LimitRun {
  readonly url: string;
  readonly manner: Manner;
  readonly clients: number;
  readonly seconds: number;
  /** Distinguishes the rows of this run from those of all others. */
  readonly run: number;
}

/** Its version line, or undefined where there is none. */
export function pgbenchVersion(): string | undefined {
  const { status, stdout } = spawnSync("pgbench", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** The latency of each transaction, in milliseconds. */
export async function runPgbench(o: LimitRun): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-pgbench-"));
  try {
    const script = join(folder, "order.sql");
    await writeFile(script, scriptOf(o.manner));
    const args = ["--no-vacuum", "--protocol=prepared", `--client=${o.clients}`];
    args.push(`--jobs=${Math.min(o.clients, MOST_THREADS)}`, `--time=${o.seconds}`);
    args.push(`--define=run=${o.run}`, "--define=i=0", `--file=${script}`);
    args.push("--log", `--log-prefix=${join(folder, "log")}`);
    await promisify(execFile)("pgbench", args, { env: { ...process.env, ...connection(o.url) } });
    const logs = (await readdir(folder)).filter((file) => file.startsWith("log."));
    const texts = await Promise.all(logs.map((file) => readFile(join(folder, file), "utf8")));
    return texts.flatMap((text) => text.trim().split("\n").map(milliseconds));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function scriptOf(manner: Manner): string {
  const own = String.raw`\set i :i + 1
\set n :run * 281474976710656 + :client_id * 68719476736 + :i
`;
  const sql = manner === "at-once" ? [AT_ONCE] : ["BEGIN", ...STEPS, "COMMIT"];
  return own + sql.map((statement) => `${statement};\n`).join("");
}

const milliseconds = (line: string): number => Number(line.split(" ")[TIME_COLUMN]) / 1000;

/** By the environment, so that the password stands in no list of processes. */
function connection(text: string): Record<string, string> {
  const url = new URL(text);
  return {
    PGHOST: url.hostname,
    PGPORT: url.port || "5432",
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: url.pathname.slice(1),
  };
}

// A real PostgreSQL from the npm packages: made once in its folder, started and stopped like any server.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import {
  type Child,
  type Exit,
  lastLines,
  plainEnvironment,
  startChild,
} from "../process/child.ts";
import { processIdentity } from "../process/identity.ts";
import { endLeftover, signalGroup } from "../process/pid-file.ts";
import { freePort, isFree } from "../process/ports.ts";
import { makeOpenFolder, usablePostgres } from "./postgres-binaries.ts";
import { makeCluster, type ClusterPlace } from "./postgres-cluster.ts";
import { postgresUser } from "./postgres-user.ts";
import { type Say, SetupProblem } from "./problem.ts";
import { closedFolder } from "./reachable.ts";
import { becomesReady } from "./ready.ts";

const HOST = "127.0.0.1";
const USER = "waybill";
const READY = { withinMs: 30_000, pollMs: 25 };
const STOP_WITHIN_MS = 10_000;
const START_TRIES = 5;
const RETRY_MS = 500;
/** Stopped after all that uses it. */
const RANK = 9;
const SETTINGS = [
  `listen_addresses=${HOST}`,
  "unix_socket_directories=",
  "max_connections=200",
  "shared_buffers=128MB",
  "max_wal_size=1GB",
  "fsync=on",
  "synchronous_commit=on",
  "jit=off",
  "timezone=UTC",
  "log_timezone=UTC",
];

export interface PostgresOptions {
  /** Everything of this server lies here: the cluster, its password, port and log. */
  readonly dataDir: string;
  /** Default: the port it had before when that is free, else a free one. */
  readonly port?: number;
  /** Whether programs that the server's user cannot reach are copied to the temporary folder (default true). */
  readonly copyUnreachable?: boolean;
  readonly say?: Say;
}

export interface Postgres extends AsyncDisposable {
  /** Of the database "postgres"; other databases are reached by another path in it. */
  readonly url: string;
  readonly port: number;
  /** Such as "18.4". */
  readonly version: string;
  readonly pid: number;
  /** Settles when the running server ends, asked or not. */
  readonly exited: Promise<Exit>;
  /** Pulls the plug: the server and its workers die at once; restart() recovers. */
  kill9(): Promise<void>;
  /** Starts it again on its port and data, after kill9 or a death. */
  restart(): Promise<void>;
}

/** Starts the server of that folder, making it first when the folder is new. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const place = await prepare(options);
  let server = await launch(place, options.port);
  return {
    get url() {
      return urlOf(place, server.port);
    },
    get port() {
      return server.port;
    },
    version: await versionOf(urlOf(place, server.port)),
    get pid() {
      return server.child.pid;
    },
    get exited() {
      return server.child.exited;
    },
    kill9: async () => {
      const workers = workersOf(server.child.pid);
      server.child.kill("SIGKILL"); // first, or it would begin its own recovery
      for (const worker of workers) signalGroup(worker, "SIGKILL"); // each leads a group of its own
      await server.child.exited;
    },
    restart: async () => {
      await server.child.stop(STOP_WITHIN_MS);
      server = await launch(place, server.port);
    },
    [Symbol.asyncDispose]: async () => {
      await server.child.stop(STOP_WITHIN_MS);
    },
  };
}

interface Place extends ClusterPlace {
  readonly dataDir: string;
  readonly password: string;
}

async function prepare(options: PostgresOptions): Promise<Place> {
  const say = options.say ?? (() => undefined);
  const dataDir = resolve(options.dataDir);
  makeOpenFolder(dataDir);
  const cluster = join(dataDir, "cluster");
  const user = postgresUser(cluster);
  const closed = user && closedFolder(dataDir, user);
  if (closed !== undefined) {
    throw new SetupProblem(
      `PostgreSQL cannot run as root, and the user it runs as cannot enter ${closed}, which is above its data. Fix: chmod o+x ${closed}`,
    );
  }
  const programs = await usablePostgres(user, options.copyUnreachable ?? true, say);
  await endLeftover(join(dataDir, "pid"));
  const password = rememberedPassword(join(dataDir, "password"));
  const place = { dataDir, cluster, user, programs, password, superuser: USER };
  if (!existsSync(join(cluster, "PG_VERSION"))) await makeCluster(place);
  return place;
}

function rememberedPassword(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const password = randomBytes(18).toString("base64url");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return password;
}

interface Server {
  readonly child: Child;
  readonly port: number;
}

/** Tries again when the port was taken meanwhile, or when workers of a killed server are still going away. */
async function launch(place: Place, wanted: number | undefined): Promise<Server> {
  let complaint = "";
  for (let tried = 0; tried < START_TRIES; tried += 1) {
    removeStaleLock(place.cluster);
    const port = wanted ?? (await rememberedPort(join(place.dataDir, "port")));
    const child = await spawnServer(place, port);
    if (await becomesReady(child, READY, () => versionOf(urlOf(place, port)))) {
      writeFileSync(join(place.dataDir, "port"), String(port));
      return { child, port };
    }
    await child.stop(STOP_WITHIN_MS);
    complaint = (await lastLines(join(place.dataDir, "log"), 8)).join("\n");
    if (!/in use|starting up|shutting down/.test(complaint)) break;
    await pause(RETRY_MS);
  }
  throw new SetupProblem(`PostgreSQL in ${place.dataDir} did not start:\n${complaint}`);
}

function spawnServer(place: Place, port: number): Promise<Child> {
  const settings = SETTINGS.flatMap((setting) => ["-c", setting]);
  return startChild({
    name: "PostgreSQL",
    command: join(place.programs, "bin", "postgres"),
    args: ["-D", place.cluster, "-p", String(port), ...settings],
    env: { ...plainEnvironment(), LC_ALL: "C" },
    cwd: "/",
    user: place.user,
    logFile: join(place.dataDir, "log"),
    pidFile: join(place.dataDir, "pid"),
    stopSignal: "SIGINT", // "fast": does not wait for its clients
    rank: RANK,
  });
}

async function rememberedPort(file: string): Promise<number> {
  const before = existsSync(file) ? Number(readFileSync(file, "utf8")) : Number.NaN;
  return Number.isInteger(before) && (await isFree(before)) ? before : freePort();
}

/**
 * The version of the server behind the URL, such as "18.4".
 * @throws what the driver throws when it does not answer
 */
export async function versionOf(url: string): Promise<string> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    const [row] = await sql<{ server_version: string }[]>`show server_version`;
    return (row?.server_version ?? "").split(" ")[0] ?? "";
  } finally {
    await sql.end();
  }
}

/** After a crash the lock may name a number that now belongs to a stranger; PostgreSQL would not dare to start. */
function removeStaleLock(cluster: string): void {
  const lock = join(cluster, "postmaster.pid");
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, "utf8").split("\n")[0]);
  if (processIdentity(pid) === undefined || !isPostgres(pid)) rmSync(lock, { force: true });
}

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres");
  } catch {
    return true; // no /proc here: leave the judgement to PostgreSQL
  }
}

function workersOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return []; // elsewhere they notice the death by themselves
  return readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

function urlOf(place: Place, port: number): string {
  return `postgres://${USER}:${place.password}@${HOST}:${port}/postgres`;
}

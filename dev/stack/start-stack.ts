// Starts a whole stack: backends, sandbox, four services. The launcher and the tests both use it.
import { rmSync } from "node:fs";
import { createDatabase, databaseName, STORES, type Store } from "../backends/databases.ts";
import { type Backends, findBackends } from "../backends/find.ts";
import { type Say, SetupProblem } from "../backends/problem.ts";
import { freePort, isFree } from "../process/ports.ts";
import { superviseBackends } from "./backend-watch.ts";
import { sandboxServes, serviceServes } from "./health.ts";
import { endLeftovers, type Home, homeAt, makeHome } from "./home.ts";
import { openKeys } from "./keys.ts";
import {
  needsSandbox,
  PROCESSES,
  type ProcessName,
  processOptions,
  type Surroundings,
  urlOf,
} from "./processes.ts";
import { seedProducts } from "./products.ts";
import { SERVICES, type StackFile, writeStackFile } from "./stack-file.ts";
import { Supervised } from "./supervised.ts";

/** The time that all services together have to stop; the backends get theirs after it. */
const STOP_WITHIN_MS = 9000;
const NAMESPACE = /^[a-z0-9_]{0,20}$/;

export interface StackOptions {
  /** The data folder. */
  readonly home: string;
  /** The gateway's port; 0 takes a free one. */
  readonly port: number;
  /** Prefixes databases, topics and consumer groups ([a-z0-9_], at most 20). */
  readonly namespace: string;
  /** Servers that run already and are not stopped with the stack; default: findBackends. */
  readonly backends?: Pick<Backends, "postgres" | "kafka">;
  /** Settings on top of ours, per process or for `all` of them. */
  readonly env?: Surroundings["env"];
  /** Whether services that die are brought back (default true). */
  readonly superviseRestarts?: boolean;
  /** Lines of progress; default: none. */
  readonly say?: Say;
}

export interface Stack extends AsyncDisposable {
  /** The contents of stack.json, as of now. */
  readonly stack: StackFile;
  readonly home: Home;
  /** Asks it to stop and waits for its end; it stays down until it is started. */
  stopService(name: ProcessName): Promise<void>;
  /** Starts it on its old port and waits until it serves. */
  startService(name: ProcessName): Promise<void>;
  /** Sends a signal, as an accident would; waits for the end of the process when the signal ends it. */
  killService(name: ProcessName, signal?: NodeJS.Signals): Promise<void>;
}

/** Everything is up and stack.json is written when this returns. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const say = options.say ?? (() => undefined);
  if (!NAMESPACE.test(options.namespace)) {
    throw new SetupProblem(`WAYBILL_NAMESPACE may hold a-z, 0-9 and _, at most 20 of them.`);
  }
  const home = homeAt(options.home);
  makeHome(home);
  await endLeftovers(home);
  // Who waits for stack.json must not find the last run's.
  rmSync(home.stackFile, { force: true });
  const ports = await choosePorts(options.port);
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rmSync(home.stackFile, { force: true }));
  const backends = options.backends ?? (await ownBackends(parts, home, say));
  const around: Surroundings = {
    home,
    keys: await openKeys(home.keys),
    namespace: options.namespace,
    databases: await createDatabases(backends.postgres.url, options.namespace),
    brokers: backends.kafka.brokers,
    ports,
    env: options.env ?? {},
  };
  const rewrite = () => writeStackFile(home.stackFile, describe(around, backends, processes));
  const processes = supervise(around, options.superviseRestarts ?? true, say, () => rewrite());
  parts.defer(() => stopAll(processes, say));
  await startAll(processes, around, say);
  rewrite();
  if (options.backends === undefined) parts.use(superviseBackends(backends, say, rewrite));
  const running = parts.move();
  return {
    get stack() {
      return describe(around, backends, processes);
    },
    home,
    stopService: (name) => found(processes, name).stop(STOP_WITHIN_MS),
    startService: async (name) => {
      await found(processes, name).start();
      rewrite();
    },
    killService: (name, signal = "SIGKILL") => found(processes, name).signal(signal),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function ownBackends(
  parts: AsyncDisposableStack,
  home: Home,
  say: Say,
): Promise<Pick<Backends, "postgres" | "kafka">> {
  const backends = await findBackends({ home: home.folder, say });
  parts.defer(async () => {
    await backends[Symbol.asyncDispose]();
    say("Kafka and PostgreSQL have stopped");
  });
  return backends;
}

type Processes = ReadonlyMap<ProcessName, Supervised>;

function supervise(
  around: Surroundings,
  restarts: boolean,
  say: Say,
  onRestart: () => void,
): Processes {
  const names = needsSandbox() ? PROCESSES : SERVICES;
  return new Map(
    names.map((name) => {
      const process = processOptions(name, around);
      const serves = name === "sandbox" ? sandboxServes : serviceServes;
      const url = urlOf(around.ports[name]);
      return [name, new Supervised({ process, url, serves, restarts, say, onRestart })];
    }),
  );
}

/** All at once: each waits for what it needs by itself. */
async function startAll(processes: Processes, around: Surroundings, say: Say): Promise<void> {
  const starts = [...processes].map(async ([name, supervised]) => {
    await supervised.start();
    if (name === "order") await seedProducts(around.databases.order);
    say(`${name} serves at ${supervised.url}`);
  });
  await Promise.all(starts);
}

/** One after the other, who calls before who is called; together they may take STOP_WITHIN_MS. */
async function stopAll(processes: Processes, say: Say): Promise<void> {
  const deadline = Date.now() + STOP_WITHIN_MS;
  for (const [name, supervised] of processes) {
    await supervised.stop(Math.max(0, deadline - Date.now()));
    say(`${name} has stopped`);
  }
}

async function choosePorts(gateway: number): Promise<Surroundings["ports"]> {
  if (gateway !== 0 && !(await isFree(gateway))) {
    throw new SetupProblem(
      `Port ${gateway} is in use by another program. Choose one with WAYBILL_PORT (0 takes any free one).`,
    );
  }
  return {
    gateway: gateway === 0 ? await freePort() : gateway,
    order: await freePort(),
    payment: await freePort(),
    notification: await freePort(),
    sandbox: await freePort(),
  };
}

async function createDatabases(server: string, namespace: string): Promise<Record<Store, string>> {
  const make = (store: Store) => createDatabase(server, databaseName(store, namespace));
  const [order, payment, notification] = await Promise.all(STORES.map(make));
  if (!order || !payment || !notification) throw new Error("A store has no database.");
  return { order, payment, notification };
}

function found(processes: Processes, name: ProcessName): Supervised {
  const supervised = processes.get(name);
  if (supervised === undefined) throw new Error(`This stack has no ${name}.`);
  return supervised;
}

function describe(
  around: Surroundings,
  backends: Pick<Backends, "postgres" | "kafka">,
  processes: Processes,
): StackFile {
  const at = (name: ProcessName) => {
    const { url, pid } = found(processes, name);
    return { url, pid };
  };
  const { brokers, own } = backends.kafka;
  return {
    gateway: at("gateway").url,
    services: {
      order: at("order"),
      payment: at("payment"),
      notification: at("notification"),
      gateway: at("gateway"),
    },
    postgres: around.databases,
    kafka: { brokers, pid: own?.pid ?? null },
    sandbox: processes.has("sandbox") ? { url: at("sandbox").url } : null,
    tokens: around.keys.tokens,
  };
}

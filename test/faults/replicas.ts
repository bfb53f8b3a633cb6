// The processes that chaos strikes: every service of the stack, and a second replica of those that have events.
import { join } from "node:path";
import { freePort } from "../../dev/process/ports.ts";
import type { Say } from "../../dev/backends/problem.ts";
import { serviceServes } from "../../dev/stack/health.ts";
import { openKeys } from "../../dev/stack/keys.ts";
import { processOptions, type Surroundings } from "../../dev/stack/processes.ts";
import { SERVICES, type ServiceName } from "../../dev/stack/stack-file.ts";
import type { Stack } from "../../dev/stack/start-stack.ts";
import { Supervised } from "../../dev/stack/supervised.ts";

const STOP_WITHIN_MS = 9_000;
/** The services with a relay, a consumer or both. */
const TWICE = ["order", "payment", "notification"] as const;

export interface Replica {
  /** "order", and "order-2" for the second one. */
  readonly name: string;
  readonly service: ServiceName;
  readonly logFile: string;
  /** Of the process that runs now; a new one after each restart. */
  pid(): number;
  /** Sends a signal, as an accident would; what it kills is brought back by its supervisor. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Whether it answers that it is ready: its database and its broker answer it. */
  serves(): Promise<boolean>;
}

/** The first replicas, which the stack looks after. */
export const firstReplicas = (stack: Stack): Replica[] =>
  SERVICES.map((service) => ({
    name: service,
    service,
    logFile: join(stack.home.logs, `${service}.log`),
    pid: () => stack.stack.services[service].pid,
    signal: (signal) => stack.killService(service, signal),
    serves: () => serviceServes(stack.stack.services[service].url),
  }));

export interface SecondReplicas extends AsyncDisposable {
  readonly replicas: readonly Replica[];
}

/** One more process of each, with the same settings but its own port: relays share the shards, consumers the groups. */
export async function startSecondReplicas(
  stack: Stack,
  o: Pick<Surroundings, "namespace" | "env"> & { readonly say: Say },
): Promise<SecondReplicas> {
  await using parts = new AsyncDisposableStack();
  const { services, postgres, kafka, sandbox } = stack.stack;
  const portOf = (url: string | undefined) => Number(new URL(url ?? "").port);
  const around: Surroundings = {
    home: stack.home,
    keys: await openKeys(stack.home.keys),
    namespace: o.namespace,
    databases: postgres,
    brokers: kafka.brokers,
    ports: {
      gateway: portOf(services.gateway.url),
      order: portOf(services.order.url),
      payment: portOf(services.payment.url),
      notification: portOf(services.notification.url),
      sandbox: portOf(sandbox?.url),
    },
    env: o.env,
  };
  const start = async (service: (typeof TWICE)[number]): Promise<Replica> => {
    const port = await freePort();
    const first = processOptions(service, around);
    const name = `${service}-2`;
    const process = {
      ...first,
      name,
      env: { ...first.env, PORT: String(port) },
      logFile: join(stack.home.logs, `${name}.log`),
      pidFile: join(stack.home.run, name),
    };
    const url = `http://127.0.0.1:${port}`;
    const { say } = o;
    const onRestart = () => undefined;
    const supervised = new Supervised({
      process,
      url,
      serves: serviceServes,
      restarts: true,
      say,
      onRestart,
    });
    parts.defer(() => supervised.stop(STOP_WITHIN_MS));
    await supervised.start();
    return {
      name,
      service,
      logFile: process.logFile,
      pid: () => supervised.pid,
      signal: (signal) => supervised.signal(signal),
      serves: () => serviceServes(url),
    };
  };
  const replicas = await Promise.all(TWICE.map(start));
  const running = parts.move();
  return { replicas, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

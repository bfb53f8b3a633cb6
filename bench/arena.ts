// The running stack under measurement: services as processes, what is known of each, and the orders to send.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Say } from "../dev/backends/problem.ts";
import { SERVICES } from "../dev/stack/stack-file.ts";
import { type Stack, startStack } from "../dev/stack/start-stack.ts";
import { type Counted } from "./cpu.ts";
import { type OrderRequest, orderRequests } from "./orders-sent.ts";
import type { Place } from "./place.ts";
import { profilerEnvironment } from "./stack-profiles.ts";
import { openWatch, type Watch } from "./watch.ts";

/** Requests a second: out of the way of any load that fits on one machine. */
const NO_RATE_LIMIT = "1000000";

export interface Arena extends AsyncDisposable {
  readonly stack: Stack;
  readonly gateway: string;
  readonly requests: readonly OrderRequest[];
  readonly watch: Watch;
  /** Everything whose CPU time is counted, but for this process, which is the load generator. */
  readonly counted: readonly Counted[];
  /** Where the services put their CPU profiles. */
  readonly profiles: string;
}

export async function openArena(place: Place, say: Say): Promise<Arena> {
  await using parts = new AsyncDisposableStack();
  const profiles = place.home;
  const stack = parts.use(
    await startStack({
      home: join(place.home, "stack"), // its own: a stack ends what an earlier one left running in its home
      port: 0,
      namespace: place.namespace,
      backends: place,
      env: {
        all: profilerEnvironment(profiles),
        gateway: { RATE_LIMIT_PER_PRINCIPAL: NO_RATE_LIMIT, RATE_LIMIT_PER_ADDRESS: NO_RATE_LIMIT },
      },
      say,
    }),
  );
  const watch = parts.use(openWatch(stack.stack));
  const requests = await orderRequests(join(stack.home.keys, "users.jwk.json"));
  const counted = countedProcesses(stack, place);
  const running = parts.move();
  return {
    stack,
    gateway: stack.stack.gateway,
    requests,
    watch,
    counted,
    profiles,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** @throws Error when a service is no longer the process that was measured: it died and was brought back */
export function mustBeTheSame({ stack, counted }: Arena): void {
  const { services } = stack.stack;
  const died = SERVICES.find((name) => !counted.some(({ pid }) => pid === services[name].pid));
  if (died !== undefined) throw new Error(`${died} died while it was measured.`);
}

/** Servers that others look after cannot be counted: their processes may be anywhere. */
function countedProcesses({ stack, home }: Stack, place: Place): Counted[] {
  const services = SERVICES.map((name) => {
    return { name, pid: stack.services[name].pid, children: false };
  });
  const postgres = place.postgres.own?.pid;
  const kafka = place.kafka.own?.pid;
  return [
    ...services,
    ...(postgres === undefined ? [] : [{ name: "PostgreSQL", pid: postgres, children: true }]),
    ...(kafka === undefined ? [] : [{ name: "Kafka", pid: kafka, children: false }]),
    ...(stack.sandbox === null ? [] : [sandboxProcess(join(home.run, "sandbox"))]),
  ];
}

function sandboxProcess(pidFile: string): Counted {
  const { pid } = JSON.parse(readFileSync(pidFile, "utf8")) as { pid: number };
  return { name: "sandbox", pid, children: false };
}

// Brings back a PostgreSQL or Kafka of our own that died, as it is done for the services.
import { setTimeout as pause } from "node:timers/promises";
import type { Backends, OwnServer } from "../backends/find.ts";
import type { Say } from "../backends/problem.ts";

const RESTART_AFTER_MS = 500;
const RETRY_MS = 5000;

/** Until it is disposed, the servers that we started are restarted when they die. */
export function superviseBackends(
  backends: Pick<Backends, "postgres" | "kafka">,
  say: Say,
  onRestart: () => void,
): Disposable {
  const stopping = new AbortController();
  const watch = (name: string, server: OwnServer | undefined) => {
    if (server === undefined) return;
    void server.exited.then(async () => {
      const back = await revive(name, server, { say, stopping: stopping.signal });
      if (!back) return;
      onRestart();
      watch(name, server);
    });
  };
  watch("PostgreSQL", backends.postgres.own);
  watch("Kafka", backends.kafka.own);
  return { [Symbol.dispose]: () => stopping.abort() };
}

/** False when the stack is being stopped. */
async function revive(
  name: string,
  server: OwnServer,
  o: { readonly say: Say; readonly stopping: AbortSignal },
): Promise<boolean> {
  let waitMs = RESTART_AFTER_MS;
  while (!o.stopping.aborted) {
    o.say(`${name} died; restarting in ${waitMs} ms`);
    await pause(waitMs);
    if (o.stopping.aborted) return false;
    try {
      await server.restart();
      o.say(`${name} is back`);
      return true;
    } catch (error) {
      o.say(`${name} cannot be started: ${String(error)}`);
      waitMs = RETRY_MS;
    }
  }
  return false;
}

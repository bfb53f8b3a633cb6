// grpc.health.v1: whether this process can do its work now, for load balancers, probes and grpc_health_probe.
import { setTimeout as wait } from "node:timers/promises";
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../gen/health/v1/health_pb.js";
import type { Log } from "../log.ts";

/** How often a watched status is looked at, in milliseconds. */
const WATCH_INTERVAL_MS = 1_000;
/** How long the parts may take to say whether they are ready, in milliseconds; longer is a no. */
const READY_TIMEOUT_MS = 2_000;

export interface HealthParts {
  /** Whether the parts that the service stands on answer. */
  readonly ready: () => Promise<boolean>;
  /** Aborted when the service stops: it then serves no more, and those who watch are told. */
  readonly stopping: AbortSignal;
  /** The full names of the services that are served here; "" is the process as a whole. */
  readonly services: () => readonly string[];
  readonly log: Log;
}

async function statusOf({ ready, stopping, log }: HealthParts): Promise<Status> {
  if (stopping.aborted) return Status.NOT_SERVING;
  const answered = new AbortController();
  try {
    const late = wait(READY_TIMEOUT_MS, false, { signal: answered.signal, ref: false });
    const isReady = await Promise.race([ready(), late.catch(() => false)]);
    return isReady && !stopping.aborted ? Status.SERVING : Status.NOT_SERVING;
  } catch (error) {
    log.warn({ error }, "not ready");
    return Status.NOT_SERVING;
  } finally {
    answered.abort();
  }
}

/** Waits for the next look, or until the watcher leaves or the service stops: that is the point of the signal, not a failure. */
const nextLook = async (signal: AbortSignal): Promise<void> => {
  await wait(WATCH_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
};

async function* watch(
  parts: HealthParts,
  service: string,
  gone: AbortSignal,
): AsyncIterable<{ status: Status }> {
  const either = AbortSignal.any([gone, parts.stopping]);
  let told: Status | undefined;
  while (!gone.aborted) {
    const status = knows(parts, service) ? await statusOf(parts) : Status.SERVICE_UNKNOWN;
    if (status !== told) yield { status };
    told = status;
    if (parts.stopping.aborted) return;
    await nextLook(either);
  }
}

const knows = (parts: HealthParts, service: string): boolean =>
  service === "" || parts.services().includes(service);

const healthOf = (parts: HealthParts): ServiceImpl<typeof Health> => ({
  async check({ service }) {
    if (!knows(parts, service))
      throw new ConnectError(`no service "${service}" here`, Code.NotFound);
    return { status: await statusOf(parts) };
  },
  async list() {
    const status = await statusOf(parts);
    return {
      statuses: Object.fromEntries(["", ...parts.services()].map((name) => [name, { status }])),
    };
  },
  watch: ({ service }, context) => watch(parts, service, context.signal),
});

export const healthRoutes =
  (parts: HealthParts, options: Parameters<ConnectRouter["service"]>[2]) =>
  (router: ConnectRouter): void => {
    router.service(Health, healthOf(parts), options);
  };

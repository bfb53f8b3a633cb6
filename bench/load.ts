// Sends orders over a number of connections, each with one request at a time, and keeps every latency.
import autocannon from "autocannon";
import type { OrderRequest } from "./orders-sent.ts";
import { type Latency, latencyOf } from "./percentiles.ts";

/** Longer than the gateway's own deadline, so that it is the gateway that says so. */
const ANSWER_WITHIN_S = 30;

export interface Load {
  readonly gateway: string;
  readonly requests: readonly OrderRequest[];
  readonly connections: number;
  readonly until: { readonly seconds: number } | { readonly orders: number };
}

export interface LoadResult {
  readonly connections: number;
  readonly accepted: number;
  /** Answers other than 2xx, by status; 0 counts requests without an answer. */
  readonly refused: Readonly<Record<string, number>>;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Of accepted orders. */
  readonly latency: Latency;
}

export async function sendLoad(load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const refused: Record<string, number> = {};
  const began = performance.now();
  let ended = began;
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  const run = autocannon(
    {
      url: load.gateway,
      connections: load.connections,
      requests: [...load.requests],
      timeout: ANSWER_WITHIN_S,
      ...("orders" in load.until
        ? { amount: load.until.orders }
        : { duration: load.until.seconds }),
    },
    (error: unknown) => (error ? reject(error) : resolve()),
  );
  run.on("response", (_client, status, _bytes, milliseconds) => {
    ended = performance.now();
    if (status >= 200 && status < 300) latencies.push(milliseconds);
    else refused[status] = (refused[status] ?? 0) + 1;
  });
  run.on("reqError", () => void (refused["0"] = (refused["0"] ?? 0) + 1));
  await finished;
  const seconds = (ended - began) / 1000;
  const latency = latencyOf(latencies);
  const accepted = latency.count;
  const { connections } = load;
  return { connections, accepted, refused, seconds, perSecond: accepted / seconds, latency };
}

// A heap of orders brought to its end: accepted, PAID, and both mails sent. What the whole flow can sustain.
import type { Arena } from "./arena.ts";
import { cpuBetween, sampleCpu } from "./cpu.ts";
import { sendLoad } from "./load.ts";

const CONNECTIONS = 32;

export interface ToldResult {
  readonly orders: number;
  /** Seconds from the first POST until all were accepted, PAID, told. */
  readonly acceptedAfter: number;
  readonly paidAfter: number;
  readonly toldAfter: number;
  /** Orders brought to PAID and told, a second. */
  readonly perSecond: number;
  /** CPU seconds of each process from the first POST until nothing waits any more. */
  readonly cpu: readonly (readonly [name: string, seconds: number])[];
  readonly refused: Readonly<Record<string, number>>;
}

export async function measureTold(arena: Arena, orders: number): Promise<ToldResult> {
  const before = sampleCpu(arena.counted);
  const own = process.cpuUsage();
  const since = new Date();
  const began = performance.now();
  const after = () => (performance.now() - began) / 1000;
  let paidAfter: number | undefined;
  let toldAfter: number | undefined;

  const load = await sendLoad({ ...arena, connections: CONNECTIONS, until: { orders } });
  const acceptedAfter = after();
  const end = await arena.watch.quiet(since, (now) => {
    if (now.paid === now.orders) paidAfter ??= after();
    if (now.told === now.orders) toldAfter ??= after();
  });

  const cpu = cpuBetween(before, sampleCpu(arena.counted));
  const { user, system } = process.cpuUsage(own);
  return {
    orders: end.orders,
    acceptedAfter,
    paidAfter: paidAfter ?? after(),
    toldAfter: toldAfter ?? after(),
    perSecond: end.orders / (toldAfter ?? after()),
    cpu: [...cpu, ["load generator", (user + system) / 1_000_000]],
    refused: load.refused,
  };
}

// From a commit that publishes until the effect is committed in another process, at a steady rate.
import { randomUUID } from "node:crypto";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import type { Say } from "../../dev/backends/problem.ts";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import type { EventProducer } from "../../src/platform/events/ports.ts";
import { startRelay } from "../../src/platform/events/relay.ts";
import { type Latency, latencyOf } from "../percentiles.ts";
import type { Place } from "../place.ts";
import { makeEffects } from "./effects.ts";
import { type OpenGround, makeGround } from "./ground.ts";
import type { Effect } from "./latency-reader.ts";
import { benchLog } from "./log.ts";
import { type Rate, startMeter } from "./meter.ts";
import { orderCreated } from "./sample.ts";

const READER = fileURLToPath(new URL("latency-reader.ts", import.meta.url));
export const EVENTS_PER_SECOND = 200;
const WARM_UP_SECONDS = 3;
const READER_WITHIN_MS = 30_000;
const ARRIVED_WITHIN_MS = 10_000;
const POLL_MS = 20;

export interface LatencyResult {
  readonly perSecond: number;
  /** The transaction that publishes, until its commit is answered. */
  readonly commit: Latency;
  /** From there until the effect is committed. */
  readonly effect: Latency;
  /** The way in between, step by step. */
  readonly steps: readonly (readonly [name: string, latency: Latency])[];
  readonly lost: number;
  /** CPU of the publishing process (its transactions, its relay) and of the servers; the reader is not in it. */
  readonly cost: Rate;
}

export async function measureLatency(
  place: Place,
  seconds: number,
  say: Say,
): Promise<LatencyResult> {
  await using ground = await makeGround(place, "latency");
  await makeEffects(ground);
  const sent = new Map<string, Sent>();
  const producer = noting(ground.kafka.producer(), sent);
  await using relay = startRelay({ db: ground.db, producer, log: benchLog });
  using reader = startReader(ground);
  const publisher = { ground, wake: () => relay.wake() };

  say(`latency: ${EVENTS_PER_SECOND} events/s for ${seconds} s`);
  const first = await publishOne(publisher);
  await arrived(reader.effects, [first], READER_WITHIN_MS);
  await publishSteadily(publisher, WARM_UP_SECONDS);
  const rate = startMeter(place);
  const published = await publishSteadily(publisher, seconds);
  const cost = rate(published.length);
  await arrived(reader.effects, published, ARRIVED_WITHIN_MS);
  return { perSecond: EVENTS_PER_SECOND, cost, ...latencies(published, sent, reader.effects) };
}

interface Sent {
  readonly began: number;
  readonly acknowledged: number;
}

interface Seen {
  readonly received: number;
  readonly committed: number;
}

function latencies(
  published: readonly Published[],
  sent: ReadonlyMap<string, Sent>,
  effects: ReadonlyMap<string, Seen>,
): Omit<LatencyResult, "perSecond" | "cost"> {
  const ways = published.flatMap((one) => {
    const on = sent.get(one.order);
    const seen = effects.get(one.order);
    return on === undefined || seen === undefined ? [] : [{ one, on, seen }];
  });
  type Way = (typeof ways)[number];
  const of = (took: (way: Way) => number) => latencyOf(ways.map(took));
  return {
    commit: latencyOf(published.map(({ began, committed }) => committed - began)),
    effect: of(({ one, seen }) => seen.committed - one.committed),
    steps: [
      ["commit → the relay has read it", of(({ one, on }) => on.began - one.committed)],
      ["→ acknowledged by the broker", of(({ on }) => on.acknowledged - on.began)],
      ["→ handed to the consumer", of(({ on, seen }) => seen.received - on.acknowledged)],
      ["→ effect committed", of(({ seen }) => seen.committed - seen.received)],
    ],
    lost: published.length - ways.length,
  };
}

/** The producer, but that it notes when each record was sent first. */
function noting(producer: EventProducer, sent: Map<string, Sent>): EventProducer {
  return {
    async send(records, o) {
      const began = now();
      await producer.send(records, o);
      const acknowledged = now();
      for (const { key } of records) sent.set(Buffer.from(key).toString(), { began, acknowledged });
    },
  };
}

interface Publisher {
  readonly ground: OpenGround;
  readonly wake: () => void;
}

interface Published {
  readonly order: string;
  /** Milliseconds of the machine's monotonic clock. */
  readonly began: number;
  readonly committed: number;
}

const now = (): number => Number(process.hrtime.bigint()) / 1_000_000;

async function publishOne({ ground, wake }: Publisher): Promise<Published> {
  const order = randomUUID();
  const began = now();
  await ground.db.transaction((tx) =>
    ground.outbox.publish(tx, OrderEventSchema, orderCreated(order)),
  );
  wake();
  return { order, began, committed: now() };
}

/** Each is due at its moment, whether or not the ones before are done. */
async function publishSteadily(publisher: Publisher, seconds: number): Promise<Published[]> {
  const began = performance.now();
  const count = seconds * EVENTS_PER_SECOND;
  const published = Array.from({ length: count }, async (_, number) => {
    const due = began + (number * 1000) / EVENTS_PER_SECOND;
    await pause(Math.max(1, due - performance.now()));
    return publishOne(publisher);
  });
  return Promise.all(published);
}

/** Waits until all are there, or the time is over. */
async function arrived(
  effects: ReadonlyMap<string, Seen>,
  published: readonly Published[],
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline && !published.every(({ order }) => effects.has(order))) {
    await pause(POLL_MS);
  }
}

/** It ends with this process, whose channel it listens to. */
function startReader({ address }: OpenGround): Disposable & {
  readonly effects: ReadonlyMap<string, Seen>;
} {
  const effects = new Map<string, Seen>();
  const child = fork(READER, [JSON.stringify(address)]);
  child.on("message", (told) => {
    for (const [order, received, committed] of told as Effect[]) {
      if (!effects.has(order)) effects.set(order, { received, committed });
    }
  });
  return { effects, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

// What the outbox costs an order, against the same transaction without it, and against a send after the commit.
import type { Say } from "../../dev/backends/problem.ts";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { setTimeout as pause } from "node:timers/promises";
import { newId } from "../../src/platform/id.ts";
import { startRelay } from "../../src/platform/events/relay.ts";
import { type Latency, latencyOf } from "../percentiles.ts";
import type { Place } from "../place.ts";
import { type OpenGround, makeGround } from "./ground.ts";
import { benchLog } from "./log.ts";
import { startMeter } from "./meter.ts";
import { saveNewOrder } from "./new-order.ts";
import { plainClient } from "./plain-client.ts";
import { orderCreated, samplePayload } from "./sample.ts";

export const CLIENTS = 8;
const POLL_MS = 10;

/** In words; the order of the rounds. */
const WAYS = ["no event", "outbox, nobody sends", "outbox and relay", "send after commit"] as const;
type Way = (typeof WAYS)[number];

export interface CostFigure {
  readonly way: Way;
  readonly orders: number;
  readonly perSecond: number;
  /** Until the caller could be answered: the commit, and the acknowledgement where it is waited for. */
  readonly latency: Latency;
  /** CPU per order, in microseconds: until its event was sent. */
  readonly nodeMicros: number;
  readonly postgresMicros: number | undefined;
  readonly kafkaMicros: number | undefined;
  readonly others: number | undefined;
}

interface Round {
  readonly way: Way;
  readonly latencies: readonly number[];
  readonly seconds: number;
  readonly rate: ReturnType<ReturnType<typeof startMeter>>;
}

export async function measureCost(
  place: Place,
  o: { readonly costSeconds: number; readonly costRounds: number },
  say: Say,
): Promise<CostFigure[]> {
  await using ground = await makeGround(place, "cost");
  const plain = plainClient(ground.address.brokers).producer();
  await plain.connect();
  const send = async (id: string): Promise<void> => {
    const messages = [{ key: id, value: Buffer.from(samplePayload(id)) }];
    await plain.send({ topic: ground.topic, messages });
  };
  const rounds: Round[] = [];
  // The first round warms up, and is not counted.
  for (let round = 0; round <= o.costRounds; round += 1) {
    say(`cost: round ${round} of ${o.costRounds}, ${WAYS.length} ways of ${o.costSeconds} s`);
    for (const way of WAYS) {
      const measured = await measureWay(place, ground, { way, send, seconds: o.costSeconds });
      if (round > 0) rounds.push(measured);
    }
  }
  await plain.disconnect();
  return WAYS.map((way) =>
    figureOf(
      way,
      rounds.filter((each) => each.way === way),
    ),
  );
}

interface WayOptions {
  readonly way: Way;
  readonly seconds: number;
  send(id: string): Promise<void>;
}

async function measureWay(place: Place, ground: OpenGround, o: WayOptions): Promise<Round> {
  const { db, sql, kafka, outbox } = ground;
  await using parts = new AsyncDisposableStack();
  const relay =
    o.way === "outbox and relay"
      ? parts.use(startRelay({ db, producer: kafka.producer(), log: benchLog }))
      : undefined;
  const one = async (): Promise<void> => {
    const id = newId();
    await db.transaction(async (tx) => {
      await saveNewOrder(tx, id);
      if (o.way.startsWith("outbox")) await outbox.publish(tx, OrderEventSchema, orderCreated(id));
    });
    relay?.wake();
    if (o.way === "send after commit") await o.send(id);
  };
  const rate = startMeter(place);
  const began = performance.now();
  const clients = Array.from({ length: CLIENTS }, () => runClient(began + o.seconds * 1000, one));
  const latencies = (await Promise.all(clients)).flat();
  const seconds = (performance.now() - began) / 1000;
  if (relay !== undefined) await emptied(sql);
  const round = { way: o.way, latencies, seconds, rate: rate(latencies.length) };
  await sql`TRUNCATE outbox`;
  return round;
}

async function runClient(end: number, one: () => Promise<void>): Promise<number[]> {
  const latencies: number[] = [];
  while (performance.now() < end) {
    const began = performance.now();
    await one();
    latencies.push(performance.now() - began);
  }
  return latencies;
}

async function emptied(sql: OpenGround["sql"]): Promise<void> {
  while ((await sql`SELECT FROM outbox LIMIT 1`).length > 0) await pause(POLL_MS);
}

function figureOf(way: Way, rounds: readonly Round[]): CostFigure {
  const latency = latencyOf(rounds.flatMap((round) => round.latencies));
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  const mean = (of: (rate: Round["rate"]) => number | undefined): number | undefined => {
    const values = rounds.map(({ rate }) => (of(rate) ?? Number.NaN) * rate.events);
    return values.reduce((sum, each) => sum + each, 0) / latency.count;
  };
  return {
    way,
    orders: latency.count,
    perSecond: latency.count / seconds,
    latency,
    nodeMicros: mean((rate) => rate.nodeMicros) ?? Number.NaN,
    postgresMicros: mean((rate) => rate.postgresMicros),
    kafkaMicros: mean((rate) => rate.kafkaMicros),
    others: Math.max(...rounds.map(({ rate }) => rate.others ?? Number.NaN)),
  };
}

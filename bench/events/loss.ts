// What is lost when the publisher is killed, and when the broker is away: with a send after the commit, and with the outbox.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Kafka } from "../../dev/backends/kafka.ts";
import type { Say } from "../../dev/backends/problem.ts";
import { type Latency, latencyOf } from "../percentiles.ts";
import type { Place } from "../place.ts";
import { type OpenGround, makeGround } from "./ground.ts";
import type { PublishWay, Waited } from "./loss-publisher.ts";
import { keysOfTopic } from "./topic-keys.ts";

const PUBLISHER = fileURLToPath(new URL("loss-publisher.ts", import.meta.url));
const WAYS: readonly PublishWay[] = ["send after commit", "outbox and relay"];
/** A publisher lives between so long and twice as long. */
const LIVES_MS = 2_000;
/** The broker is there, and then away, between so long and twice as long. */
const BROKER_STAYS_MS = 3_000;
const BROKER_AWAY_MS = 5_000;

export interface LossFigure {
  readonly killed: "publisher" | "broker";
  readonly way: PublishWay;
  readonly kills: number;
  readonly committed: number;
  /** Committed orders that the topic does not tell of. */
  readonly lost: number;
  /** Records that are on the topic once more. */
  readonly doubled: number;
  /** How long callers waited for an answer. */
  readonly waited: Latency;
}

export async function measureLoss(place: Place, seconds: number, say: Say): Promise<LossFigure[]> {
  const figures: LossFigure[] = [];
  for (const way of WAYS) {
    say(`loss: ${way}, the publisher is killed for ${seconds} s`);
    figures.push(await measure(place, { way, killed: "publisher", seconds }));
  }
  const broker = place.kafka.own;
  if (broker === undefined || !("kill9" in broker)) {
    say("loss: the broker is not ours, so it is not killed");
    return figures;
  }
  for (const way of WAYS) {
    say(`loss: ${way}, the broker is killed for ${seconds} s`);
    figures.push(await measure(place, { way, killed: "broker", seconds, broker }));
  }
  return figures;
}

interface LossOptions {
  readonly way: PublishWay;
  readonly killed: LossFigure["killed"];
  readonly seconds: number;
  readonly broker?: Kafka;
}

async function measure(place: Place, o: LossOptions): Promise<LossFigure> {
  const name = `loss_${o.killed}_${o.way === "send after commit" ? "send" : "outbox"}`;
  await using ground = await makeGround(place, name);
  const waited: number[] = [];
  const start = () => startPublisher(ground, o.way, waited);
  const end = performance.now() + o.seconds * 1000;
  const { publisher, kills } =
    o.broker === undefined
      ? await killPublishers(start, end)
      : await killBroker(start, end, o.broker);
  const exited = once(publisher, "exit");
  publisher.send("stop");
  await exited;

  const orders = await ground.sql<{ id: string }[]>`SELECT id FROM orders`;
  const keys = await keysOfTopic(ground);
  const copies = [...keys.values()].reduce((sum, count) => sum + count - 1, 0);
  return {
    killed: o.killed,
    way: o.way,
    kills,
    committed: orders.length,
    lost: orders.filter(({ id }) => !keys.has(id)).length,
    doubled: copies,
    waited: latencyOf(waited),
  };
}

interface Killed {
  /** The last one, which lives. */
  readonly publisher: ChildProcess;
  readonly kills: number;
}

async function killPublishers(start: () => ChildProcess, end: number): Promise<Killed> {
  let publisher = start();
  let kills = 0;
  while (performance.now() < end) {
    await once(publisher, "message"); // it works
    await pause(LIVES_MS * (1 + Math.random()));
    const exited = once(publisher, "exit");
    publisher.kill("SIGKILL");
    await exited;
    kills += 1;
    publisher = start();
  }
  await once(publisher, "message");
  return { publisher, kills };
}

async function killBroker(start: () => ChildProcess, end: number, broker: Kafka): Promise<Killed> {
  const publisher = start();
  await once(publisher, "message");
  let kills = 0;
  while (performance.now() < end) {
    await pause(BROKER_STAYS_MS * (1 + Math.random()));
    await broker.kill9();
    await pause(BROKER_AWAY_MS * (1 + Math.random()));
    await broker.restart();
    kills += 1;
  }
  return { publisher, kills };
}

/** It ends with this process, whose channel it listens to. */
function startPublisher({ address }: OpenGround, way: PublishWay, waited: number[]): ChildProcess {
  const child = fork(PUBLISHER, [JSON.stringify({ address, way })]);
  child.on("message", (told) => {
    for (const each of (told as Waited).waited) waited.push(each);
  });
  return child;
}

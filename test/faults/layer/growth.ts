// A topic that was grown: no service starts on it, and the way out that the refusal names keeps the order.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../harness/eventually.ts";
import { comesToRest, readEffects, readHappened, untilHappened, withAdmin } from "./evidence.ts";
import { judge, type Finding } from "./judge.ts";
import { openLives } from "./lives.ts";
import { startLayer } from "./process.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

const CONSUMER = "ledger";
const DECLARED = 6;
const GROWN = 12;
const KEYS = 30;
const PER_SECOND = 100;
/** Before the topic is grown, and then until its writer is stopped. */
const EVENTS_BEFORE = 200;
const EVENTS_AFTER = 400;
const STOP_WITHIN_MS = 10_000;
const REST_WITHIN_MS = 60_000;

export interface Growth {
  readonly findings: readonly Finding[];
  readonly happened: number;
}

/** The writer and its reader have databases of their own, as the services have. */
export async function growTopic(servers: LayerServers, seed: number): Promise<Growth> {
  await using world = await openWorld(servers);
  await using other = await openWorld(servers);
  await using lives = openLives(world.folder);
  const reader = {
    ...world.task({ members: [{ service: CONSUMER, consumes: true }], seed }),
    databaseUrl: other.databaseUrl,
  };
  const keys = Array.from({ length: KEYS }, () => randomUUID());
  const total = EVENTS_BEFORE + EVENTS_AFTER;
  const writing = { keys, total, perSecond: PER_SECOND, writers: 4, rollBack: 0, delayMs: 20 };
  const members = [{ service: "writer", consumes: false }];
  lives.live("reader", [reader]);
  lives.live("writer", [world.task({ members, writing, seed })]);
  await untilHappened(world, EVENTS_BEFORE, REST_WITHIN_MS);
  await grow(world);
  const findings = await refusesToStart(world, seed);

  // The way out, word by word. Stop what publishes to it …
  await lives.end("writer", STOP_WITHIN_MS);
  // … let its readers come to the end …
  const consumers = [CONSUMER];
  const rest = { consumers, withinMs: REST_WITHIN_MS };
  await comesToRest(world, { ...rest, happened: EVENTS_BEFORE, outboxMayWait: true });
  // … then delete the topic, so that it is made anew.
  await withAdmin(world.brokers, (admin) => admin.deleteTopics({ topics: [world.topic] }));
  await gone(world);
  const [before] = await world.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM happened`;
  const left = { ...writing, total: total - (before?.n ?? 0) };
  lives.live("writer-again", [world.task({ members, writing: left, seed: seed + 1 })]);
  await untilHappened(world, total, REST_WITHIN_MS);
  await comesToRest(world, { ...rest, happened: total });
  const [happened, effects] = await Promise.all([readHappened(world), readEffects(other)]);
  findings.push(...judge({ happened, sent: undefined, effects, consumers, againAllowed: 0 }));
  return { findings, happened: happened.length };
}

async function grow(world: World): Promise<void> {
  await withAdmin(world.brokers, (admin) =>
    admin.createPartitions({ topicPartitions: [{ topic: world.topic, count: GROWN }] }),
  );
}

async function refusesToStart(world: World, seed: number): Promise<Finding[]> {
  const name = "newcomer";
  const members = [{ service: CONSUMER, consumes: true }];
  const tasks = [world.task({ members, seed })];
  const newcomer = await startLayer({ name, folder: world.folder, tasks });
  const exit = await newcomer.exited;
  const said = readFileSync(join(world.folder, `${name}.log`), "utf8");
  const told = `has ${GROWN} partitions, but the contract declares ${DECLARED}`;
  if (exit.code === 1 && said.includes(told)) return [];
  return [
    { wrong: "started", what: `a process on the grown topic ended with ${exit.code}: ${said}` },
  ];
}

async function gone(world: World): Promise<void> {
  await withAdmin(world.brokers, (admin) =>
    eventually(async () => {
      const topics = await admin.listTopics();
      if (topics.includes(world.topic)) throw new Error("the topic is still there");
    }),
  );
}

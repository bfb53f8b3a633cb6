// Consumers come and go all the time, in order and killed; events keep their order all the same, and each is applied once.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../random.ts";
import { comesToRest, readEffects, readHappened, readTopic } from "./evidence.ts";
import { judge, type Finding } from "./judge.ts";
import { latencyMs } from "./latency.ts";
import { openLives } from "./lives.ts";
import { openWorld, type LayerServers } from "./world.ts";

const CONSUMER = "ledger";
const CHANGE_EVERY_MS = 3_000;
/** Beside the one that stays. */
const MEMBERS_LIMIT = 3;
const KEYS = 60;
const STOP_WITHIN_MS = 10_000;
const REST_WITHIN_MS = 60_000;

export interface StormSettings {
  readonly seconds: number;
  readonly perSecond: number;
  readonly random: Random;
  readonly seed: number;
}

export interface Storm {
  readonly findings: readonly Finding[];
  readonly happened: number;
  readonly came: number;
  readonly left: number;
  readonly killed: number;
  readonly again: number;
  readonly restMs: number;
  /** The longest from commit to effect: so long was the longest takeover at most. */
  readonly longestMs: number;
}

export async function rebalanceStorm(servers: LayerServers, o: StormSettings): Promise<Storm> {
  await using world = await openWorld(servers);
  await using lives = openLives(world.folder);
  const members = [{ service: CONSUMER, consumes: true }];
  const consumer = [world.task({ members, seed: o.seed })];
  lives.live("steady", consumer);
  const keys = Array.from({ length: KEYS }, () => randomUUID());
  const total = o.seconds * o.perSecond;
  const writing = { keys, total, perSecond: o.perSecond, writers: 8, rollBack: 0.05, delayMs: 20 };
  const writers = [{ service: "writer", consumes: false }];
  lives.live("writer", [world.task({ members: writers, writing, seed: o.seed })]);

  const counts = { came: 0, left: 0, killed: 0 };
  const there: string[] = [];
  const endings: Promise<void>[] = [];
  for (const end = performance.now() + o.seconds * 1000; performance.now() < end;) {
    await pause(CHANGE_EVERY_MS);
    const comes = there.length === 0 || (there.length < MEMBERS_LIMIT && o.random.fraction() < 0.5);
    const name = comes ? `member-${counts.came}` : (there.shift() ?? "");
    if (comes) {
      counts.came += 1;
      there.push(name);
      lives.live(name, consumer);
      continue;
    }
    const kills = o.random.fraction() < 0.5;
    counts[kills ? "killed" : "left"] += 1;
    endings.push(lives.end(name, kills ? 0 : STOP_WITHIN_MS));
  }
  await Promise.all(endings);
  const consumers = [CONSUMER];
  const restMs = await comesToRest(world, { consumers, happened: total, withinMs: REST_WITHIN_MS });
  const [happened, sent, effects] = await Promise.all([
    readHappened(world),
    readTopic(world),
    readEffects(world),
  ]);
  const findings = judge({ happened, sent, effects, consumers, againAllowed: Infinity });
  const again = sent.length - new Set(sent.map(({ eventId }) => eventId)).size;
  const { longestMs } = await latencyMs(world);
  return { findings, happened: happened.length, ...counts, again, restMs, longestMs };
}

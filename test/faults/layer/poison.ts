// Poison on the topic: it is set aside with its key, all others go on; when the bug is mended, everything is done in its order.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { openDatabase } from "../../../src/platform/database/open.ts";
import {
  listDeadLetters,
  replayDeadLetters,
  skipDeadLetter,
} from "../../../src/platform/events/dead-letter.ts";
import { comesToRest, readEffects, readHappened, readTopic, untilHappened } from "./evidence.ts";
import { POISONS } from "./history.ts";
import { judge, type Finding, type Happened } from "./judge.ts";
import { latencyMs } from "./latency.ts";
import { openLives } from "./lives.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

const CONSUMER = "ledger";
const SKIPPED = /^(bytes|invalid):/;
const UNREADABLE = /no waybill|breaks the contract/;
const WRITTEN_WITHIN_MS = 120_000;
/** Three processes die of one event, and each time the group waits 6 s for the dead one. */
const SET_ASIDE_WITHIN_MS = 240_000;
const REST_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;

export interface Poisoning {
  readonly events: number;
  readonly perSecond: number;
  readonly poisonEvery: number;
  readonly keys: number;
  readonly seed: number;
}

export interface Poisoned {
  readonly findings: readonly Finding[];
  readonly happened: number;
  readonly dead: number;
  readonly deaths: number;
  /** Milliseconds from commit to effect, of the keys without poison. */
  readonly othersP99Ms: number;
  readonly restMs: number;
}

export async function poison(servers: LayerServers, o: Poisoning): Promise<Poisoned> {
  await using world = await openWorld(servers);
  await using lives = openLives(world.folder);
  const members = [{ service: CONSUMER, consumes: true }];
  const weather = { awayEvery: 0, awayTries: 0, notYet: 0, delayMs: 0, bugs: true };
  for (const name of ["sick-1", "sick-2"])
    lives.live(name, [world.task({ members, weather, seed: o.seed })]);
  const keys = Array.from({ length: o.keys }, () => randomUUID());
  const writing = {
    keys,
    total: o.events,
    perSecond: o.perSecond,
    poisonEvery: o.poisonEvery,
    writers: 4,
    rollBack: 0,
    delayMs: 10,
  };
  const writers = [{ service: "writer", consumes: false }];
  lives.live("writer", [world.task({ members: writers, writing, seed: o.seed })]);
  await untilHappened(world, o.events, WRITTEN_WITHIN_MS);
  await lives.end("writer");

  const happened = await readHappened(world);
  const poisoned = new Set(happened.filter(isPoison).map(({ key }) => key));
  const held = happened.filter((_, at) =>
    happened
      .slice(0, at + 1)
      .some((earlier) => isPoison(earlier) && earlier.key === happened[at]?.key),
  ).length;
  await comesToRest(world, {
    consumers: [CONSUMER],
    happened: o.events,
    held,
    withinMs: SET_ASIDE_WITHIN_MS,
  });
  const findings = [...(await setAside(world, happened))];
  const { p99Ms: othersP99Ms } = await latencyMs(world, [...poisoned]);
  const deaths = lives.deaths();

  // The bug is mended, and the operator goes through what is dead.
  await Promise.all([lives.end("sick-1"), lives.end("sick-2")]);
  lives.live("well", [world.task({ members, seed: o.seed })]);
  const dead = await goThroughTheDead(world);
  const restMs = await comesToRest(world, {
    consumers: [CONSUMER],
    happened: o.events,
    withinMs: REST_WITHIN_MS,
  });
  const [sent, effects] = await Promise.all([readTopic(world), readEffects(world)]);
  const isSkipped = ({ nonce }: Happened) => SKIPPED.test(nonce);
  findings.push(
    ...judge({ happened, sent, effects, consumers: [CONSUMER], isSkipped, againAllowed: Infinity }),
  );
  return { findings, happened: happened.length, dead, deaths, othersP99Ms, restMs };
}

const isPoison = ({ nonce }: Happened): boolean => POISONS.some((kind) => nonce.startsWith(kind));

interface HeldRow {
  readonly key: string;
  readonly seq: number;
  readonly state: string;
  readonly reason: string;
  readonly error: string | null;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Of each poisoned key: the poison dead, with headers and error, everything behind it waiting in its order. */
async function setAside(world: World, happened: readonly Happened[]): Promise<Finding[]> {
  const rows = await world.sql<HeldRow[]>`
    SELECT key, seq::int AS seq, state, reason, error, headers FROM held_event
    WHERE consumer = ${CONSUMER} ORDER BY id`;
  const findings: Finding[] = [];
  for (const [key, facts] of Map.groupBy(happened, (fact) => fact.key)) {
    const first = facts.findIndex(isPoison);
    const due = first < 0 ? [] : facts.slice(first).map((_, at) => first + at + 1);
    const mine = rows.filter((row) => row.key === key);
    const wrong = (what: string) =>
      findings.push({ wrong: "not-set-aside", what: `${key}: ${what}` });
    if (mine.map(({ seq }) => seq).join() !== due.join())
      wrong(`held are ${mine.map(({ seq }) => seq).join()}, not ${due.join()}`);
    const [head] = mine;
    if (head === undefined) continue;
    if (head.state !== "dead" || head.error === null)
      wrong(`its head is ${head.state}: ${head.reason}`);
    if (head.headers["ce_sequence"] !== String(head.seq)) wrong("its head lost its headers");
    if (mine.slice(1).some(({ state }) => state === "dead"))
      wrong("something behind its head is dead");
  }
  return findings;
}

/**
 * As an operator does it: asks for another try of what met a bug, and skips what nobody can read. Behind a dead event
 * there may be another one, which shows when its turn has come. Returns how many there were.
 */
async function goThroughTheDead(world: World): Promise<number> {
  await using opened = openDatabase({
    databaseUrl: world.databaseUrl,
    databasePoolSize: 2,
    service: "operator",
  });
  const { db } = opened;
  const everything = { topic: undefined, key: undefined, type: undefined };
  const filter = { ...everything, since: undefined, until: undefined };
  const deadline = performance.now() + REST_WITHIN_MS;
  for (let dead = 0; ; await pause(LOOK_EVERY_MS)) {
    const left = await world.sql`SELECT 1 FROM held_event LIMIT 1`;
    if (left.length === 0 || performance.now() > deadline) return dead;
    const rows = await listDeadLetters(db, CONSUMER, filter, { after: undefined, limit: 100 });
    dead += rows.length;
    for (const { event_id: eventId, reason } of rows) {
      const isReadable = !UNREADABLE.test(reason);
      await db.transaction(async (tx) => {
        if (isReadable) await replayDeadLetters(tx, CONSUMER, { eventId });
        else await skipDeadLetter(tx, CONSUMER, eventId);
      });
    }
  }
}

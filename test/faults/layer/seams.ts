// Processes that die at the seams of the event layer, on purpose and again and again, until each seam was struck often enough.
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { PlantName } from "../plant/plants.ts";
import { readReports } from "../plant/orders.ts";
import { comesToRest, readEffects, readHappened, readTopic } from "./evidence.ts";
import { judge, type Finding } from "./judge.ts";
import { openLives } from "./lives.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

export const SEAMS = ["relay.acknowledged", "consumer.applied", "consumer.committed"] as const;
export type Seam = (typeof SEAMS)[number];

/** A relay waits for the shards of the dead (1.5 s here), a consumer for its partitions (6 s): the latter are more. */
const RELAYS = 4;
const CONSUMERS_PER_SEAM = 5;
/** The passing at which it dies: before it, each process gets something done. */
const DUE: Readonly<Record<Seam, number>> = {
  "relay.acknowledged": 2,
  "consumer.applied": 4,
  "consumer.committed": 4,
};
const KEYS = 30;
/** In all more than any run gets to. */
const WRITING = { total: 1_000_000, perSecond: 60, writers: 4, rollBack: 0, delayMs: 20 };
const BATCH_LIMIT = 500;
const LOOK_EVERY_MS = 100;
const REST_WITHIN_MS = 60_000;
const WRITER = "writer";

export interface Struck {
  readonly findings: readonly Finding[];
  readonly strikes: Readonly<Record<Seam, number>>;
  readonly happened: number;
  /** Records that are on the topic again. */
  readonly again: number;
  /** From the last strike to rest. */
  readonly restMs: number;
}

export interface Striking {
  /** At least so many per seam. */
  readonly strikes: number;
  readonly withinMs: number;
  readonly seed: number;
}

export async function strikeSeams(servers: LayerServers, o: Striking): Promise<Struck> {
  await using world = await openWorld(servers);
  await using crew = openCrew(world, o.seed);
  const consumers = crew.begin();
  await crew.untilStruck(o.strikes, o.withinMs);
  await crew.calm();
  const restMs = await comesToRest(world, { consumers, happened: 1, withinMs: REST_WITHIN_MS });
  const [happened, sent, effects] = await Promise.all([
    readHappened(world),
    readTopic(world),
    readEffects(world),
  ]);
  const strikes = crew.strikes();
  const deaths = Object.values(strikes).reduce((sum, count) => sum + count, 0);
  const findings = judge({
    happened,
    sent,
    effects,
    consumers,
    againAllowed: deaths * BATCH_LIMIT,
  });
  const again = sent.length - new Set(sent.map(({ eventId }) => eventId)).size;
  if (again < strikes["relay.acknowledged"])
    findings.push({
      wrong: "lost",
      what: `only ${again} records again: the seam is not where it should be`,
    });
  return { findings, strikes, happened: happened.length, again, restMs };
}

interface Crew extends AsyncDisposable {
  /** Starts everybody; returns the names of the consumers. */
  begin(): string[];
  strikes(): Record<Seam, number>;
  untilStruck(count: number, withinMs: number): Promise<void>;
  /** Nobody writes and nobody dies any more. */
  calm(): Promise<void>;
}

function openCrew(world: World, seed: number): Crew {
  const calmFile = join(world.folder, "calm");
  const lives = openLives(world.folder);
  const mortal = (name: string, service: string, seam: Seam): void => {
    const members = [{ service, consumes: seam !== "relay.acknowledged" }];
    const plants: readonly PlantName[] = [seam, "lease.short"];
    const dying = { plants, strikes: { [seam]: DUE[seam] }, calm: calmFile };
    const variants = { "": { ...dying, report: world.report, seed } };
    lives.live(name, [world.task({ members, seed })], { variants });
  };
  const strikes = () => {
    const struck = readReports(world.report).filter((report) => report.kind === "strike");
    return Object.fromEntries(
      SEAMS.map((seam) => [seam, struck.filter((report) => report.seam === seam).length]),
    ) as Record<Seam, number>;
  };
  return {
    begin() {
      const keys = Array.from({ length: KEYS }, () => randomUUID());
      const members = [{ service: WRITER, consumes: false }];
      lives.live(WRITER, [world.task({ members, writing: { ...WRITING, keys }, seed })]);
      for (let place = 0; place < RELAYS; place += 1)
        mortal(`relay-${place}`, "relay", "relay.acknowledged");
      return (["consumer.applied", "consumer.committed"] as const).flatMap((seam) =>
        Array.from({ length: CONSUMERS_PER_SEAM }, (_, place) => {
          const service = `${seam.replace(".", "-")}-${place}`;
          mortal(service, service, seam);
          return service;
        }),
      );
    },
    strikes,
    async untilStruck(count, withinMs) {
      const deadline = performance.now() + withinMs;
      while (Object.values(strikes()).some((struck) => struck < count)) {
        if (performance.now() > deadline)
          throw new Error(
            `Not struck often enough in ${withinMs} ms: ${JSON.stringify(strikes())}.`,
          );
        await pause(LOOK_EVERY_MS);
      }
    },
    async calm() {
      writeFileSync(calmFile, "");
      await lives.end(WRITER);
    },
    [Symbol.asyncDispose]: () => lives[Symbol.asyncDispose](),
  };
}

// Processes that die at the seams of the event layer, on purpose and again and again, until each seam was struck often enough.
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "../../../dev/process/child.ts";
import type { PlantName } from "../plant/plants.ts";
import { readReports, type PlantOrders } from "../plant/orders.ts";
import { comesToRest, readEffects, readHappened, readTopic } from "./evidence.ts";
import { judge, type Finding } from "./judge.ts";
import type { Task } from "./orders.ts";
import { startLayer } from "./process.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

export const SEAMS = ["relay.acknowledged", "consumer.applied", "consumer.committed"] as const;
export type Seam = (typeof SEAMS)[number];

/** A relay waits for the shards of the dead (1.5 s here), a consumer for its partitions (6 s): the latter are more. */
const RELAYS = 4;
const CONSUMERS_PER_SEAM = 5;
/** So many passings are survived first: else the same events would kill three processes, and be taken for poison. */
const DUE: Readonly<Record<Seam, number>> = {
  "relay.acknowledged": 2,
  "consumer.applied": 3,
  "consumer.committed": 3,
};
const KEYS = 30;
const PER_SECOND = 60;
/** More than any run gets to. */
const ENDLESS = 1_000_000;
const BATCH_LIMIT = 500;
const LOOK_EVERY_MS = 100;
const REST_WITHIN_MS = 60_000;
const QUICK_END_MS = 0;
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

/** Whoever dies is started again at once. */
function openCrew(world: World, seed: number): Crew {
  const calmFile = join(world.folder, "calm");
  const running = new Map<string, Child>();
  const stopped = new Set<string>();
  let isOver = false;

  const variant = (seam: Seam, plants: readonly PlantName[]): PlantOrders => ({
    variants: {
      "": {
        plants: [...plants, seam],
        strikes: { [seam]: DUE[seam] },
        calm: calmFile,
        report: world.report,
        seed,
      },
    },
  });
  const keepAlive = async (name: string, task: Task, plants?: PlantOrders): Promise<void> => {
    while (!isOver && !stopped.has(name)) {
      const child = await startLayer({ name, folder: world.folder, tasks: [task], plants });
      running.set(name, child);
      if (isOver) child.kill("SIGKILL");
      await child.exited;
    }
  };
  const lives: Promise<void>[] = [];
  const live = (name: string, task: Task, plants?: PlantOrders): void =>
    void lives.push(keepAlive(name, task, plants));
  const strikes = () => {
    const struck = readReports(world.report).filter((report) => report.kind === "strike");
    return Object.fromEntries(
      SEAMS.map((seam) => [seam, struck.filter((report) => report.seam === seam).length]),
    ) as Record<Seam, number>;
  };
  return {
    begin() {
      const keys = Array.from({ length: KEYS }, () => randomUUID());
      const writing = {
        keys,
        total: ENDLESS,
        perSecond: PER_SECOND,
        writers: 4,
        rollBack: 0,
        delayMs: 20,
      };
      live(
        WRITER,
        world.task({ members: [{ service: "writer", consumes: false }], writing, seed }),
      );
      for (let place = 0; place < RELAYS; place += 1) {
        const members = [{ service: "relay", consumes: false }];
        live(
          `relay-${place}`,
          world.task({ members, seed }),
          variant("relay.acknowledged", ["lease.short"]),
        );
      }
      return (["consumer.applied", "consumer.committed"] as const).flatMap((seam) =>
        Array.from({ length: CONSUMERS_PER_SEAM }, (_, place) => {
          const service = `${seam.replace(".", "-")}-${place}`;
          const task = world.task({ members: [{ service, consumes: true }], seed });
          live(service, task, variant(seam, ["lease.short"]));
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
      stopped.add(WRITER);
      await running.get(WRITER)?.stop(QUICK_END_MS);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      for (const child of running.values()) child.kill("SIGKILL");
      await Promise.all(lives);
    },
  };
}

// The proof of the proof: in rough weather, without any kill, correct code comes through clean, and each defect shows.
import { randomUUID } from "node:crypto";
import type { DefectName, PlantName } from "../plant/plants.ts";
import { readReports, type SendWeather, type Variant } from "../plant/orders.ts";
import { comesToRest, readEffects, readHappened, readTopic, untilHappened } from "./evidence.ts";
import type { Writing } from "./history.ts";
import { judge, type Finding, type Wrong } from "./judge.ts";
import type { HandlerWeather, Task } from "./orders.ts";
import { openFolder } from "../../harness/stack.ts";
import { startLayer } from "./process.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

/** What of each defect the oracle must see, at least. */
export const SHOWS: Readonly<Record<DefectName, readonly Wrong[]>> = {
  "inbox.off": ["doubled"],
  "lease.off": ["sent-again"],
  "shard.by-chance": ["reordered"],
  "outbox.elsewhere": ["invented"],
  "outbox.later": ["lost"],
  "delete.early": ["lost"],
  "late.ignored": ["reordered"],
  "outbox.newest-first": ["reordered"],
  "partition.by-chance": ["reordered"],
  "offset.early": ["lost"],
  "effect.elsewhere": ["lost"],
  "lane.by-chance": ["reordered"],
  "quarantine.off": ["reordered"],
};

const CONSUMER = "ledger";
const EVENTS = 200;
const KEYS = 8;
const SEND: SendWeather = { twice: 0.1, failsBefore: 0.1, failsAfter: 0.1, delayMs: 30 };
const HANDLER: HandlerWeather = { awayEvery: 60, awayTries: 3, notYet: 0.01, delayMs: 4 };
const WRITING: Omit<Writing, "keys"> = {
  total: EVENTS,
  perSecond: 250,
  writers: 4,
  rollBack: 0.1,
  delayMs: 120,
};
const REST_WITHIN_MS = 90_000;
/** Consumers are replicas; all are relays. */
const MEMBERS = [
  { service: CONSUMER, consumes: true },
  { service: CONSUMER, consumes: true },
];
/** On a busy machine a lease runs out while its batch is on the way, which is then sent by the next owner too. */
const AGAIN_SLACK = 60;
const WEATHER: readonly PlantName[] = ["weather.send", "lease.short", "hint.tight"];

/** A world with a defect, or, under the name of NONE, without any. */
export type Case = DefectName | typeof NONE;
export const NONE = "none";

/**
 * Runs each case in a world and a copy of the event layer of its own: two whole members, all of it in one process, and
 * another process for those who write, which dies when it is done. Returns what the judge found, by case.
 */
export async function tryCases(
  servers: LayerServers,
  cases: readonly Case[],
  seed: number,
): Promise<ReadonlyMap<Case, readonly Finding[]>> {
  await using parts = new AsyncDisposableStack();
  const worlds = new Map<Case, World>();
  await Promise.all(cases.map(async (one) => worlds.set(one, parts.use(await openWorld(servers)))));
  const variants = Object.fromEntries(
    [...worlds].map(([one, world]) => [one, variantOf(one, world, seed)]),
  );
  const start = async (name: string, tasks: readonly Task[]) => {
    const child = await startLayer({
      name,
      folder: parts.use(openFolder()).path,
      tasks,
      plants: { variants },
    });
    parts.defer(async () => void (await child.stop(0)));
    return child;
  };
  await start(
    "layer",
    [...worlds].map(([variant, world]) =>
      world.task({ members: MEMBERS, weather: HANDLER, seed, variant }),
    ),
  );
  // Whoever writes may die at any time: what it committed is to be told all the same.
  const writeAndDie = async (name: string, some: readonly (readonly [Case, World])[]) => {
    if (some.length === 0) return;
    const members = [{ service: "writer", consumes: false }];
    const keys = Array.from({ length: KEYS }, () => randomUUID());
    const writing = { ...WRITING, keys };
    const writer = await start(
      name,
      some.map(([variant, world]) => world.task({ members, writing, seed, variant })),
    );
    const written = some.map(([, world]) => untilHappened(world, EVENTS, REST_WITHIN_MS));
    const died = writer.exited.then(() => Promise.reject(new Error(`${name} died too early`)));
    await Promise.race([Promise.all(written), died]);
    died.catch(() => undefined); // as it should, now
    writer.kill("SIGKILL");
  };
  const [late, others] = partition([...worlds], ([one]) => one === "outbox.later");
  await Promise.all([writeAndDie("writer", others), writeAndDie("late-writer", late)]);
  const found = [...worlds].map(async ([one, world]) => {
    return [one, await judged(world, variants[one]?.plants ?? [])] as const;
  });
  return new Map(await Promise.all(found));
}

/** Those that are so, and those that are not. */
function partition<T>(all: readonly T[], isSo: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isSo), all.filter((one) => !isSo(one))];
}

const variantOf = (one: Case, world: World, seed: number): Variant => ({
  plants: one === NONE ? WEATHER : [...WEATHER, one],
  weather: SEND,
  elsewhere: world.databaseUrl,
  report: world.report,
  seed,
});

/** When the world has come to rest. */
async function judged(world: World, plants: readonly PlantName[]): Promise<Finding[]> {
  const consumers = [CONSUMER];
  const restless: Finding[] = [];
  await comesToRest(world, { consumers, happened: EVENTS, withinMs: REST_WITHIN_MS }).catch(
    (error: unknown) => restless.push({ wrong: "restless", what: String(error) }),
  );
  const [happened, sent, effects] = await Promise.all([
    readHappened(world),
    readTopic(world),
    readEffects(world),
  ]);
  const againAllowed = AGAIN_SLACK + doubledByWeather(world, plants);
  return [...restless, ...judge({ happened, sent, effects, consumers, againAllowed })];
}

/** In records. @throws when a plant found nothing to grow in */
function doubledByWeather(world: World, plants: readonly PlantName[]): number {
  const reports = readReports(world.report);
  for (const plant of plants) {
    if (!reports.some((report) => report.kind === "planted" && report.plant === plant))
      throw new Error(`${plant} was not planted: nothing read its module.`);
  }
  const again = reports.filter((report) => report.kind === "again");
  return again.reduce((sum, { count }) => sum + count, 0);
}

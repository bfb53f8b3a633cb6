// The proof of the proof: in rough weather, without any kill, correct code comes through clean, and each defect shows.
import { randomUUID } from "node:crypto";
import type { DefectName, PlantName } from "../plant/plants.ts";
import { readReports, type SendWeather } from "../plant/orders.ts";
import { comesToRest, untilHappened, readEffects, readHappened, readTopic } from "./evidence.ts";
import type { Writing } from "./history.ts";
import { judge, type Finding, type Wrong } from "./judge.ts";
import type { HandlerWeather } from "./orders.ts";
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
const EVENTS = 400;
const KEYS = 12;
const SEND: SendWeather = { twice: 0.1, failsBefore: 0.1, failsAfter: 0.1, delayMs: 30 };
const HANDLER: HandlerWeather = { awayEvery: 150, awayMs: 60, notYet: 0.01, delayMs: 4 };
const WRITING: Omit<Writing, "keys"> = {
  total: EVENTS,
  perSecond: 250,
  writers: 6,
  rollBack: 0.1,
  delayMs: 120,
};
const REST_WITHIN_MS = 40_000;
const WEATHER: readonly PlantName[] = ["weather.send", "lease.short", "hint.tight"];

export interface Tried {
  readonly findings: readonly Finding[];
  readonly seconds: number;
}

/** Runs two whole members of the event layer in one process, with the defect or without, until all is quiet. */
export async function tryDefect(
  servers: LayerServers,
  defect: DefectName | undefined,
  seed: number,
): Promise<Tried> {
  const began = performance.now();
  await using world = await openWorld(servers);
  const plants = defect === undefined ? WEATHER : [...WEATHER, defect];
  const orders = { plants, weather: SEND, seed };
  const member = { service: CONSUMER, consumes: true };
  const writing = { ...WRITING, keys: Array.from({ length: KEYS }, () => randomUUID()) };
  await world.start("layer", { members: [member, member], weather: HANDLER, seed }, orders);
  const writer = await world.start(
    "writer",
    { members: [{ service: "writer", consumes: false }], writing, seed },
    orders,
  );
  // Whoever writes may die at any time: what it committed is to be told all the same.
  await untilHappened(world, EVENTS, REST_WITHIN_MS);
  writer.kill("SIGKILL");
  const consumers = [CONSUMER];
  const restless: Finding[] = [];
  await comesToRest(world, { consumers, happened: EVENTS, withinMs: REST_WITHIN_MS }).catch(
    (error: unknown) => restless.push({ wrong: "restless", what: String(error) }),
  );
  const { againAllowed } = readWeather(world, plants);
  const [happened, sent, effects] = await Promise.all([
    readHappened(world),
    readTopic(world),
    readEffects(world),
  ]);
  const findings = judge({ happened, sent, effects, consumers, againAllowed });
  return { findings: [...restless, ...findings], seconds: (performance.now() - began) / 1000 };
}

/** How many records the weather doubled. @throws when a plant found nothing to grow in */
function readWeather(world: World, plants: readonly PlantName[]): { againAllowed: number } {
  const reports = readReports(world.report);
  for (const plant of plants) {
    if (!reports.some((report) => report.kind === "planted" && report.plant === plant))
      throw new Error(`${plant} was not planted: nothing read its module.`);
  }
  const again = reports.filter((report) => report.kind === "again");
  return { againAllowed: again.reduce((sum, { count }) => sum + count, 0) };
}

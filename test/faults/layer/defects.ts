// The proof of the proof: in rough weather, without any kill, correct code comes through clean, and each defect shows.
import { randomUUID } from "node:crypto";
import type { DefectName, PlantName } from "../plant/plants.ts";
import { readReports, type SendWeather } from "../plant/orders.ts";
import { comesToRest, readEffects, readHappened, readTopic } from "./evidence.ts";
import type { Writing } from "./history.ts";
import { judge, type Finding, type Wrong } from "./judge.ts";
import type { HandlerWeather } from "./orders.ts";
import { openWorld, type LayerServers } from "./world.ts";

/** What of each defect the oracle must see, at least. */
export const SHOWS: Readonly<Record<DefectName, readonly Wrong[]>> = {
  "inbox.off": ["doubled"],
  "lease.off": ["sent-again"],
  "shard.by-chance": ["reordered"],
  "outbox.elsewhere": ["invented"],
  "outbox.later": ["lost"],
  "delete.early": ["lost"],
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
const HANDLER: HandlerWeather = { transient: 0.01, notYet: 0.01, delayMs: 4 };
const WRITING: Omit<Writing, "keys"> = {
  total: EVENTS,
  perSecond: 250,
  writers: 6,
  rollBack: 0.1,
  delayMs: 20,
};
const REST_WITHIN_MS = 40_000;

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
  const plants: PlantName[] = ["weather.send"];
  if (defect !== undefined) plants.push(defect);
  const member = { service: CONSUMER, consumes: true };
  const keys = Array.from({ length: KEYS }, () => randomUUID());
  const process = await world.start(
    "layer",
    { members: [member, member], weather: HANDLER, writing: { ...WRITING, keys }, seed },
    { plants, weather: SEND, seed },
  );
  // Without a defect an event that was not applied is a failure of the run; with one it may well be.
  await comesToRest(world, {
    consumers: [CONSUMER],
    happened: EVENTS,
    withinMs: REST_WITHIN_MS,
  });
  const reports = readReports(world.report);
  for (const plant of plants) {
    if (!reports.some((report) => report.kind === "planted" && report.plant === plant))
      throw new Error(`${plant} was not planted: nothing read its module.`);
  }
  if (!process.running) throw new Error("the process is gone");
  const againAllowed = reports
    .filter((report) => report.kind === "again")
    .reduce((sum, { count }) => sum + count, 0);
  const findings = judge({
    happened: await readHappened(world),
    sent: await readTopic(world),
    effects: await readEffects(world),
    consumers: [CONSUMER],
    againAllowed,
  });
  return { findings, seconds: (performance.now() - began) / 1000 };
}

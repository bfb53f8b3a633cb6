// A backlog that is drained while an old snapshot keeps every row that was deleted: reads stay short, and the order stays.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { shardOf } from "../../../src/platform/events/key-hash.ts";
import { eventually } from "../../harness/eventually.ts";
import { readReports } from "../plant/orders.ts";
import { comesToRest, followTopic } from "./evidence.ts";
import type { Finding } from "./judge.ts";
import { openLives } from "./lives.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

/** As many as an order has. */
const EVENTS_PER_KEY = 5;
const PAYLOAD_BYTES = 300;
const PER_SECOND = 200;
const DRAIN_WITHIN_MS = 20 * 60_000;

export interface BacklogSettings {
  /** How old the snapshot is when the backlog is there. */
  readonly snapshotSeconds: number;
  readonly events: number;
  readonly seed: number;
}

export interface Backlog {
  readonly findings: readonly Finding[];
  readonly perSecond: number;
  readonly fetchP50Ms: number;
  readonly fetchP99Ms: number;
  readonly again: number;
  readonly drainMs: number;
}

export async function drainBacklog(servers: LayerServers, o: BacklogSettings): Promise<Backlog> {
  await using world = await openWorld(servers);
  await using lives = openLives(world.folder);
  await using _ = await oldSnapshot(world);
  const variant = { plants: ["measure.fetch"], report: world.report, seed: o.seed } as const;
  const plants = { variants: { "": variant } };
  const members = [{ service: "relay", consumes: false }];
  const relay = [world.task({ members, seed: o.seed })];
  lives.live("relay", relay, plants);
  const early = Array.from({ length: o.snapshotSeconds * PER_SECOND }, () => randomUUID());
  for (let at = 0; at < early.length; at += PER_SECOND) {
    await insertEvents(world, early.slice(at, at + PER_SECOND), 1);
    await pause(1_000);
  }
  await lives.end("relay");
  const keys = Array.from({ length: Math.ceil(o.events / EVENTS_PER_KEY) }, () => randomUUID());
  for (let seq = 1; seq <= EVENTS_PER_KEY; seq += 1) await insertEvents(world, keys, seq);
  const before = readReports(world.report).length;

  const began = performance.now();
  lives.live("relay-again", relay, plants);
  await comesToRest(world, { consumers: [], happened: 0, withinMs: DRAIN_WITHIN_MS });
  const drainMs = performance.now() - began;
  const timed = readReports(world.report)
    .slice(before)
    .filter((report) => report.kind === "timed");
  const fetches = timed.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (part: number) => fetches[Math.floor(fetches.length * part)] ?? 0;
  const lasts = new Map([
    ...early.map((key) => [key, 1] as const),
    ...keys.map((key) => [key, EVENTS_PER_KEY] as const),
  ]);
  const { findings, again } = await inOrder(world, lasts);
  return {
    findings,
    again,
    drainMs,
    perSecond: (keys.length * EVENTS_PER_KEY * 1000) / drainMs,
    fetchP50Ms: at(0.5),
    fetchP99Ms: at(0.99),
  };
}

/** As a report or a dump that runs for long has it: PostgreSQL keeps for it what others delete. */
async function oldSnapshot(world: World): Promise<AsyncDisposable> {
  const sql = postgres(world.databaseUrl, { max: 1, onnotice: () => undefined });
  const holder = await sql.reserve();
  await holder`BEGIN ISOLATION LEVEL REPEATABLE READ`;
  await holder`SELECT count(*) FROM outbox`;
  return {
    [Symbol.asyncDispose]: async () => {
      await holder`ROLLBACK`;
      holder.release();
      await sql.end();
    },
  };
}

/** One event of each key. */
async function insertEvents(
  { sql, topic }: World,
  keys: readonly string[],
  seq: number,
): Promise<void> {
  const shards = keys.map(shardOf);
  const headers = { "content-type": "application/protobuf" };
  await sql`
    INSERT INTO outbox (event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
    SELECT gen_random_uuid(), ${topic}, 'order', key, 'order.paid', ${seq}, shard, ${Buffer.alloc(PAYLOAD_BYTES)},
           ${sql.json(headers)}
    FROM unnest(${[...keys]}::text[], ${shards}::smallint[]) AS k (key, shard)`;
}

/** Of each key 1, 2, 3 … to the last, but for what is there again. */
async function inOrder(
  world: World,
  lasts: ReadonlyMap<string, number>,
): Promise<{ readonly findings: Finding[]; readonly again: number }> {
  const findings: Finding[] = [];
  const reached = new Map<string, number>();
  let again = 0;
  await using follower = await followTopic(world, ({ key, seq }) => {
    const next = (reached.get(key) ?? 0) + 1;
    if (seq < next) again += 1;
    else reached.set(key, seq);
    if (seq > next)
      findings.push({ wrong: "reordered", what: `seq ${seq} of ${key}, where ${next} was due` });
  });
  await eventually(() => follower.isAtEnd(), { withinMs: DRAIN_WITHIN_MS });
  for (const [key, last] of lasts) {
    const seq = reached.get(key) ?? 0;
    if (seq !== last)
      findings.push({ wrong: "lost", what: `${key} ends with ${seq}, not with ${last}` });
  }
  return { findings, again };
}

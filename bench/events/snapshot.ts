// What the relay's reads take while an old snapshot keeps all rows that were deleted since: the bad case of an outbox.
import postgres from "postgres";
import { setTimeout as pause } from "node:timers/promises";
import type { Say } from "../../dev/backends/problem.ts";
import type { EventProducer } from "../../src/platform/events/ports.ts";
import { startRelay } from "../../src/platform/events/relay.ts";
import { type Latency, latencyOf } from "../percentiles.ts";
import type { Place } from "../place.ts";
import { type OpenGround, makeGround } from "./ground.ts";
import { benchLog } from "./log.ts";
import { type Rate, startMeter } from "./meter.ts";
import { timeStatements } from "./statement-times.ts";
import { startSteadyLoad } from "./steady-load.ts";

export const EVENTS_PER_SECOND = 1_500;
const WARM_UP_MS = 3_000;
/** Of the time with a snapshot, the last third is the worst. */
const WORST_SHARE = 1 / 3;

/** One kind of statement: its times over a phase. */
export interface StatementFigure {
  readonly name: string;
  readonly latency: Latency;
}

export interface SnapshotPhase {
  readonly name: string;
  readonly published: number;
  readonly rate: Rate;
  readonly statements: readonly StatementFigure[];
  /** Rows that are deleted and still there, at the end. */
  readonly deadRows: number;
  /** Rows that wait to be sent, at the end. */
  readonly backlog: number;
}

export interface SnapshotSizes {
  readonly noSnapshotSeconds: number;
  readonly snapshotSeconds: number;
}

export async function measureSnapshot(
  place: Place,
  o: SnapshotSizes,
  say: Say,
): Promise<SnapshotPhase[]> {
  await using ground = await makeGround(place, "snapshot");
  let times: Times = new Map();
  timeStatements(ground.db, ({ text, milliseconds }) => {
    const name = nameOf(text);
    const known = times.get(name) ?? [];
    known.push(milliseconds);
    times.set(name, known);
  });
  let sent = 0;
  const producer = counting(ground.kafka.producer(), (records) => void (sent += records));
  await using relay = startRelay({ db: ground.db, producer, log: benchLog });
  const load = startSteadyLoad(ground, EVENTS_PER_SECOND, () => relay.wake());
  const phase = async (name: string, seconds: number): Promise<SnapshotPhase> => {
    say(`snapshot: ${name}, ${Math.round(seconds)} s`);
    times = new Map();
    const before = { published: load.published(), sent };
    const rate = startMeter(place);
    await pause(seconds * 1000);
    const statements = figuresOf(times);
    const published = load.published() - before.published;
    const state = await stateOf(ground.sql);
    return { name, published, rate: rate(sent - before.sent), statements, ...state };
  };
  await pause(WARM_UP_MS);
  const without = await phase("no snapshot", o.noSnapshotSeconds);
  using _snapshot = await openSnapshot(ground.address.databaseUrl);
  const first = await phase("a snapshot is open", o.snapshotSeconds * (1 - WORST_SHARE));
  const last = await phase("its last third", o.snapshotSeconds * WORST_SHARE);
  await load.stop();
  return [without, first, last];
}

type Times = Map<string, number[]>;

/** Told apart by what they read and write, so that the relay may ask as it likes. */
function nameOf(text: string): string {
  const statement = text.trim().toUpperCase();
  if (!statement.includes('"OUTBOX"')) return "leases and the like";
  if (statement.startsWith("DELETE")) return "delete of a batch";
  return statement.includes("PAYLOAD") ? "fetch of a batch" : "look for late rows";
}

const figuresOf = (times: Times): StatementFigure[] =>
  [...times]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, each]) => ({ name, latency: latencyOf(each) }));

function counting(producer: EventProducer, onSent: (records: number) => void): EventProducer {
  return {
    async send(records, o) {
      await producer.send(records, o);
      onSent(records.length);
    },
  };
}

/** A transaction that has read something and does no more, as a long report or a forgotten session. */
async function openSnapshot(url: string): Promise<Disposable> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const session = await sql.reserve();
  await session`BEGIN ISOLATION LEVEL REPEATABLE READ`;
  await session`SELECT count(*) FROM outbox_shard`;
  return { [Symbol.dispose]: () => void sql.end({ timeout: 0 }) };
}

async function stateOf(
  sql: OpenGround["sql"],
): Promise<Pick<SnapshotPhase, "deadRows" | "backlog">> {
  const [row] = await sql<{ dead: number; backlog: number }[]>`
    SELECT n_dead_tup::float8 AS dead, (SELECT count(*)::float8 FROM outbox) AS backlog
    FROM pg_stat_user_tables WHERE relname = 'outbox'`;
  return { deadRows: row?.dead ?? Number.NaN, backlog: row?.backlog ?? Number.NaN };
}

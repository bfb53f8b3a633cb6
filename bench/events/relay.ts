// How fast the relay brings a backlog to the broker, beside what bounds it: the broker alone and the database alone.
import { setTimeout as pause } from "node:timers/promises";
import type { Say } from "../../dev/backends/problem.ts";
import type { EventProducer } from "../../src/platform/events/ports.ts";
import { startRelay } from "../../src/platform/events/relay.ts";
import type { Place } from "../place.ts";
import type { ProfileSummary } from "../profile.ts";
import { fillOutbox } from "./backlog.ts";
import { type OpenGround, makeGround } from "./ground.ts";
import { benchLog } from "./log.ts";
import { type Rate, startMeter } from "./meter.ts";
import { profiled } from "./self-profile.ts";
import { measureSendLimit } from "./send-limit.ts";

const SLICES = 10;
const POLL_MS = 5;
/** More than any backlog of a benchmark takes; longer means that something is stuck. */
const DRAINED_WITHIN_MS = 1_800_000;

export interface RelayResult {
  /** The client library alone. */
  readonly broker: Rate;
  /** The relay with a broker that takes everything at once: the database and the relay's own work. */
  readonly database: Rate;
  readonly relay: Rate;
  /** Events a second of each tenth of the backlog: whether it slows down while dead rows grow. */
  readonly tenths: readonly number[];
  readonly profile: ProfileSummary | undefined;
}

export interface RelaySizes {
  readonly backlogRows: number;
  readonly limitRows: number;
  /** The folder for the raw CPU profile of the drain; without it none is taken. */
  readonly profiles: string | undefined;
}

export async function measureRelay(place: Place, o: RelaySizes, say: Say): Promise<RelayResult> {
  await using ground = await makeGround(place, "relay");
  say(`relay: ${o.limitRows} records by the client library alone`);
  const broker = await measureSendLimit(place, ground, o.limitRows);
  say(`relay: ${o.limitRows} rows to a broker that takes everything at once`);
  await fillOutbox(ground, o.limitRows);
  const nobody: EventProducer = { send: async () => undefined };
  const { rate: database } = await drain(place, ground, { rows: o.limitRows, producer: nobody });
  say(`relay: ${o.backlogRows} rows to Kafka`);
  await fillOutbox(ground, o.backlogRows);
  const producer = ground.kafka.producer();
  const { result, profile } = await profiled("relay", o.profiles, () =>
    drain(place, ground, { rows: o.backlogRows, producer }),
  );
  return { broker, database, relay: result.rate, tenths: result.tenths, profile };
}

/** Starts a relay, and waits until the outbox is empty. */
async function drain(
  place: Place,
  { db, sql }: OpenGround,
  o: { rows: number; producer: EventProducer },
): Promise<{ rate: Rate; tenths: number[] }> {
  await sql`CHECKPOINT`; // that of the filling is not the relay's
  const rate = startMeter(place);
  const deadline = performance.now() + DRAINED_WITHIN_MS;
  const slices = createSlices(o.rows);
  const producer: EventProducer = {
    async send(records, options) {
      await o.producer.send(records, options);
      slices.add(records.length);
    },
  };
  await using _relay = startRelay({ db, producer, log: benchLog });
  while (slices.total() < o.rows || !(await isEmpty(sql))) {
    if (performance.now() > deadline) throw new Error(`Only ${slices.total()} rows were sent.`);
    await pause(POLL_MS);
  }
  return { rate: rate(o.rows), tenths: slices.perSecond() };
}

async function isEmpty(sql: OpenGround["sql"]): Promise<boolean> {
  const [row] = await sql<{ empty: boolean }[]>`SELECT NOT EXISTS (SELECT FROM outbox) AS empty`;
  return row?.empty === true;
}

function createSlices(rows: number) {
  const times = [performance.now()];
  const counts = [0];
  let total = 0;
  return {
    total: () => total,
    add(count: number): void {
      total += count;
      if (total < (rows / SLICES) * times.length) return;
      times.push(performance.now());
      counts.push(total);
    },
    perSecond: () =>
      times.slice(1).map((time, index) => {
        const events = (counts[index + 1] ?? 0) - (counts[index] ?? 0);
        return (events * 1000) / (time - (times[index] ?? time));
      }),
  };
}

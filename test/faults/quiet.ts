// Waits until everything that was set going has come to rest, and says what is still at work when it does not.
import { setTimeout as pause } from "node:timers/promises";
import { STORES } from "../../dev/backends/databases.ts";
import { ask } from "../harness/http.ts";
import { sandboxUrl } from "../harness/place.ts";
import { groupsOf } from "./groups.ts";
import type { Rig } from "./rig.ts";

const QUIET_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** Quiet is believed when it was seen so often in a row: between two stages nothing waits for a moment. */
const LOOKS_IN_A_ROW = 3;

/** What is still at work, by its name, and how much of it. */
type AtWork = Readonly<Record<string, number>>;

export interface Quiet {
  /** Seconds until the first of the quiet looks; undefined when it did not come to rest in time. */
  readonly seconds: number | undefined;
  /** What was still at work at the last look. */
  readonly atWork: AtWork;
}

export async function becomesQuiet(rig: Rig): Promise<Quiet> {
  const began = performance.now();
  let since: number | undefined;
  let inARow = 0;
  for (;;) {
    const now = performance.now();
    const atWork = await look(rig).catch((error: unknown) => ({ [String(error)]: 1 }));
    const isQuiet = Object.keys(atWork).length === 0;
    since = isQuiet ? (since ?? now) : undefined;
    inARow = isQuiet ? inARow + 1 : 0;
    if (since !== undefined && inARow >= LOOKS_IN_A_ROW)
      return { seconds: (since - began) / 1000, atWork };
    if (now - began > QUIET_WITHIN_MS) return { seconds: undefined, atWork };
    await pause(LOOK_EVERY_MS);
  }
}

async function look(rig: Rig): Promise<AtWork> {
  const parts = await Promise.all([
    ...STORES.map((store) => waiting(rig, store)),
    due(rig),
    lag(rig),
    webhooks(rig),
  ]);
  return Object.fromEntries(
    parts.flatMap((part) => Object.entries(part)).filter(([, count]) => count > 0),
  );
}

async function waiting({ databases }: Rig, store: (typeof STORES)[number]): Promise<AtWork> {
  const text = `select (select count(*)::int from outbox) as outbox,
    (select count(*)::int from held_event where state = 'waiting') as held`;
  const [row] = await databases.ask<{ outbox: number; held: number }>(store, text);
  return { [`${store}: outbox`]: row?.outbox ?? 0, [`${store}: held events`]: row?.held ?? 0 };
}

/** Rows that a worker still has to do something with, in any of the databases. */
async function due({ databases }: Rig): Promise<AtWork> {
  const count = async (store: (typeof STORES)[number], name: string, text: string) => {
    const [row] = await databases.ask<{ n: number }>(store, `select count(*)::int as n ${text}`);
    return { [name]: row?.n ?? 0 };
  };
  const counts = await Promise.all([
    count("order", "orders PENDING", "from orders where status = 'PENDING'"),
    count("order", "orders to initiate", "from orders where not initiated"),
    count("order", "orders being closed", "from orders where closing is not null"),
    count("order", "late money", "from orders where late_money"),
    count("payment", "attempts due", "from payment_attempts where due_time is not null"),
    count("payment", "refunds due", "from refunds where call_status <> 'SETTLED'"),
    count("payment", "Stripe's events due", "from stripe_events where due_time is not null"),
    count("notification", "messages due", "from notifications where due_time is not null"),
  ]);
  return Object.assign({}, ...counts) as AtWork;
}

async function lag({ direct, place }: Rig): Promise<AtWork> {
  return await direct.admin(async (admin) => {
    const lags: Record<string, number> = {};
    for (const { group, topics } of groupsOf(place.namespace)) {
      const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
      for (const { topic, partitions } of committed) {
        const ends = new Map(
          (await admin.fetchTopicOffsets(topic)).map((end) => [end.partition, Number(end.high)]),
        );
        const behind = partitions.map(
          ({ partition, offset }) => (ends.get(partition) ?? 0) - Math.max(0, Number(offset)),
        );
        lags[`${group} behind on ${topic}`] = behind.reduce((sum, each) => sum + each, 0);
      }
    }
    return lags;
  });
}

async function webhooks({ place }: Rig): Promise<AtWork> {
  const { json } = await ask(`${sandboxUrl(place)}/_/health`);
  const { undeliveredEvents } = json as { undeliveredEvents: number };
  return { "webhooks to deliver": undeliveredEvents };
}

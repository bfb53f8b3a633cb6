// Sends what is in the outbox to the broker: one batch at a time, in the order of each key, and never drops a row.
import { underlying } from "./failure.ts";
import { startLoop, within } from "./loop.ts";
import {
  BATCH_LIMIT_ROWS,
  deleteRows,
  parkRows,
  readBatch,
  toRecord,
  type OutboxRow,
} from "./outbox-rows.ts";
import { RecordsRefusedError, type EventProducer, type EventsLog } from "./ports.ts";
import type { Database } from "./schema.ts";
import { ensureShards, ShardLeases } from "./shard-lease.ts";
import { createTopicRests, type TopicRests } from "./topic-rest.ts";

/** How long a shard stays with a relay that is gone; a live one gives a sign of life within it. */
export const LEASE_MS = 6_000;
const POLL_FIRST_MS = 10;
/** After a wake, so long is waited for the commits beside it: one read and one send then serve them all. */
const GATHER_MS = 3;
const POLL_LAST_MS = 1_000;
/** How long a stop waits for the batch in flight. Later than that its leases end by themselves. */
const STOP_LIMIT_MS = 5_000;

export interface Relay extends AsyncDisposable {
  /** There may be something to send: call it when a transaction that published has committed. */
  wake(): void;
  /** Rejects when the relay cannot go on; losing the database or the broker is no such case. */
  readonly failed: Promise<never>;
}

export interface RelayOptions {
  readonly db: Database;
  readonly producer: EventProducer;
  readonly log: EventsLog;
  /** How long a shard stays with a relay that was killed. 3 to 10 s. */
  readonly leaseMs?: number;
  /** The rest between two looks into an empty outbox: it begins with the first and doubles up to the last. */
  readonly pollFirstMs?: number;
  readonly pollLastMs?: number;
}

interface Sending {
  readonly db: Database;
  readonly producer: EventProducer;
  readonly log: EventsLog;
  readonly leases: ShardLeases;
  readonly rests: TopicRests;
}

export function startRelay(o: RelayOptions): Relay {
  const leaseMs = o.leaseMs ?? LEASE_MS;
  const first = o.pollFirstMs ?? POLL_FIRST_MS;
  const last = o.pollLastMs ?? POLL_LAST_MS;
  const leases = new ShardLeases(o.db, leaseMs);
  const sending: Sending = { ...o, leases, rests: createTopicRests() };

  let ready = false;
  const tick = startLoop("the lease of the outbox", o.log, async () => {
    if (!ready) await ensureShards(o.db);
    ready = true;
    const before = leases.held().length;
    await leases.tick();
    if (before === 0) send.wake();
    return leaseMs / 3;
  });

  let idleMs = first;
  const send = startLoop("sending the outbox", o.log, async (signal) => {
    const found = await leases.during(() => sendBatch(sending, signal));
    if (found === "full") return 0;
    idleMs = found === "some" ? first : Math.min(idleMs * 2, last);
    return idleMs * (0.75 + Math.random() / 2);
  });
  let gathering: NodeJS.Timeout | undefined;

  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // who starts a relay may not look at it
  void Promise.all([tick.done, send.done]).catch(reject);
  return {
    failed,
    wake() {
      idleMs = first;
      gathering ??= setTimeout(() => {
        gathering = undefined;
        send.wake();
      }, GATHER_MS);
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(gathering);
      await tick.stop();
      const ended = await within(
        STOP_LIMIT_MS,
        send.stop().then(() => true),
      );
      if (ended === undefined) {
        o.log.warn({}, "the outbox was left with a batch in flight: its leases end by themselves");
        return;
      }
      await leases.release().catch((error: unknown) => {
        o.log.warn(
          { error: underlying(error) },
          "the leases of the outbox were left to end by themselves",
        );
      });
    },
  };
}

/** Sends one batch, and says what it found. Throws when it did not work; all that was not sent stays. */
async function sendBatch(s: Sending, signal: AbortSignal): Promise<"nothing" | "some" | "full"> {
  const shards = s.leases.held();
  if (shards.length === 0) return "nothing";
  const rows = await readBatch(s.db, shards, s.rests.resting());
  if (rows.length === 0) return "nothing";
  const found = rows.length < BATCH_LIMIT_ROWS ? "some" : "full";
  const behind = rows.filter((row) => row.behind_parked);
  if (behind.length > 0) await parkRows(s.db, behind, "an earlier event of its key is parked");
  const sendable = rows.filter((row) => !row.behind_parked);
  if (sendable.length === 0) return found;
  try {
    await sendRows(s, sendable, signal);
  } catch (error) {
    if (!(error instanceof RecordsRefusedError)) throw error;
    await sendOneByOne(s, sendable, signal);
  }
  return found;
}

/** The lease is looked at just before the send: a relay that slept too long must not send at all. */
async function sendRows(
  s: Sending,
  rows: readonly OutboxRow[],
  signal: AbortSignal,
): Promise<void> {
  const mine = rows.filter((row) => s.leases.holds(row.shard));
  if (mine.length === 0) return;
  await s.producer.send(mine.map(toRecord), { signal });
  for (const topic of new Set(mine.map((row) => row.topic))) s.rests.taken(topic);
  await deleteRows(s.db, mine);
}

/** Finds which row of a batch is refused, and sets it aside with the later ones of its key. */
async function sendOneByOne(
  s: Sending,
  rows: readonly OutboxRow[],
  signal: AbortSignal,
): Promise<void> {
  const stuck = new Set<string>();
  for (const row of rows) {
    const place = JSON.stringify([row.topic, row.aggregate_id]);
    if (s.rests.resting().includes(row.topic)) continue;
    if (stuck.has(place)) {
      await parkRows(s.db, [row], "an earlier event of its key is parked");
      continue;
    }
    try {
      await sendRows(s, [row], signal);
    } catch (error) {
      if (!(error instanceof RecordsRefusedError)) throw error;
      if (error.kind === "unknown_topic" && s.rests.mayAppear(row.topic)) {
        s.log.error({ topic: row.topic, error }, "the topic is not there: its events wait for it");
        continue;
      }
      stuck.add(place);
      await parkRows(s.db, [row], error.message);
      s.log.error(
        { topic: row.topic, eventId: row.event_id, type: row.type, error },
        "the broker refuses an event: it is parked, with the later ones of its key",
      );
    }
  }
}

// One batch of the outbox: read, sent, deleted; what the broker refuses is parked with the later rows of its key.
import { underlying } from "./failure.ts";
import type { ReadHint } from "./outbox-hint.ts";
import {
  BATCH_LIMIT_ROWS,
  deleteRows,
  findLate,
  parkBehind,
  parkRows,
  readBatch,
  toRecord,
  type OutboxRead,
  type OutboxRow,
} from "./outbox-rows.ts";
import { RecordsRefusedError, type EventProducer, type EventsLog } from "./ports.ts";
import type { Database } from "./schema.ts";
import type { ShardLeases } from "./shard-lease.ts";
import type { TopicRests } from "./topic-rest.ts";

export interface Sending {
  readonly db: Database;
  readonly producer: EventProducer;
  readonly log: EventsLog;
  readonly leases: ShardLeases;
  readonly rests: TopicRests;
  readonly hint: ReadHint;
}

/** Sends one batch, and says what it found. Throws when it did not work; all that was not sent stays. */
export async function sendBatch(
  s: Sending,
  signal: AbortSignal,
): Promise<"nothing" | "some" | "full"> {
  const shards = s.leases.held();
  if (shards.length === 0) return "nothing";
  const read = { shards, withoutTopics: s.rests.resting(), after: s.hint.takeAfter() };
  s.hint.look(() => lookForLate(s, read));
  const rows = await readBatch(s.db, read);
  const last = rows.at(-1);
  if (last === undefined) return "nothing";
  const parked = rows.filter((row) => row.behind_parked);
  await parkBehind(s.db, parked);
  const sendable = rows.filter((row) => !row.behind_parked && !row.behind_late);
  await sendOrPark(s, sendable, signal);
  s.hint.sent(BigInt(last.id));
  if (!rows.some((row) => row.behind_late)) return rows.length < BATCH_LIMIT_ROWS ? "some" : "full";
  s.hint.foundLate(0n);
  return "full";
}

/** Beside the batches: it may take long, where an old snapshot keeps what was deleted. */
async function lookForLate(s: Sending, read: OutboxRead): Promise<void> {
  try {
    const late = await findLate(s.db, read);
    if (late !== undefined) s.hint.foundLate(late);
  } catch (error) {
    s.log.warn({ error: underlying(error) }, "the outbox was not looked through for late rows");
  }
}

async function sendOrPark(
  s: Sending,
  rows: readonly OutboxRow[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await sendRows(s, rows, signal);
  } catch (error) {
    if (!(error instanceof RecordsRefusedError)) throw error;
    await sendOneByOne(s, rows, signal);
  }
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
      await parkBehind(s.db, [row]);
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

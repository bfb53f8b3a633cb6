// Gives held events their next try: when another event of their key was applied, or when the clock says so.
import { applyEvent, nameOf, reportDead, type Application } from "./apply.ts";
import { BUG_TRIES, crashError } from "./chunk.ts";
import { CRASH_LIMIT, removeCounts, type CrashCount } from "./crash-count.ts";
import { underlying } from "./failure.ts";
import {
  buryHeld,
  findForgottenHeads,
  nextDue,
  postponeHeld,
  recordOf,
  removeHeld,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
  wakeHeld,
  type HeldRow,
} from "./held.ts";
import { startLoop, type Loop } from "./loop.ts";
import { receive, type ReceivedEvent } from "./received.ts";
import type { Database, Transaction } from "./schema.ts";
import type { ErrorKind } from "./subscription.ts";

const POLL_MS = 1_000;
const FORGOTTEN_EVERY_MS = 15_000;
/** What is away may be back at once; the events behind a held one wait for it, too. */
const TRANSIENT_REST_MS = 1_000;

export interface HeldRetryOptions {
  readonly app: Application;
  readonly db: Database;
  readonly crashes: CrashCount;
  classify(error: unknown): ErrorKind;
  /** An event that found no ground for so long is dead. */
  readonly holdLimitMs: number;
}

export function startHeldRetry(o: HeldRetryOptions): {
  readonly loops: Loop[];
  readonly wake: () => void;
} {
  const bugs = new Map<string, number>();
  const retry = startLoop("retrying held events", o.app.log, async () =>
    (await retryOne(o, bugs)) ? 0 : POLL_MS,
  );
  const forgotten = startLoop("finding forgotten events", o.app.log, async () => {
    await findForgottenHeads(o.db, o.app.consumer);
    return FORGOTTEN_EVERY_MS;
  });
  return { loops: [retry, forgotten], wake: () => retry.wake() };
}

interface Tried {
  readonly row: HeldRow;
  readonly event: ReceivedEvent;
}

/** False: nothing is due. */
async function retryOne(o: HeldRetryOptions, bugs: Map<string, number>): Promise<boolean> {
  let tried: Tried | undefined;
  try {
    const found = await o.db.transaction(async (tx) => {
      const row = await nextDue(tx, o.app.consumer);
      if (row === undefined) return false;
      const subscription = o.app.subscriptions.get(row.topic);
      if (subscription === undefined) {
        await postponeHeld(tx, row, {
          reason: "no subscription to its topic",
          restMs: RETRY_LAST_MS,
        });
        return true;
      }
      tried = { row, event: receive(recordOf(row), subscription.schema) };
      await retryCounted(o, tx, tried);
      return true;
    });
    if (tried !== undefined) o.crashes.ended([tried.event.meta.eventId]);
    if (found) o.app.onCommit();
    return found;
  } catch (error) {
    if (tried === undefined) throw error;
    await o.crashes.left([tried.event.meta.eventId]);
    await settleFailure(o, bugs, tried, error);
    return true;
  }
}

/** The start is counted on a connection of its own: it must outlive the transaction, if the process does not. */
async function retryCounted(o: HeldRetryOptions, tx: Transaction, tried: Tried): Promise<void> {
  const { eventId } = tried.event.meta;
  const suspects = await o.crashes.begin([eventId]);
  if (suspects.size === 0) await retryIn(o, tx, tried, 0);
  else await o.crashes.alone(eventId, (crashes) => retryIn(o, tx, tried, crashes));
  await removeCounts(tx, o.app.consumer, [eventId]);
}

async function retryIn(
  o: HeldRetryOptions,
  tx: Transaction,
  { row, event }: Tried,
  crashes: number,
): Promise<void> {
  if (crashes >= CRASH_LIMIT) return bury(o, tx, { row, event }, crashError(crashes));
  const verdict = await applyEvent(o.app, tx, event);
  if (verdict.outcome !== "not_yet") {
    await removeHeld(tx, o.app.consumer, row);
    if (verdict.outcome === "applied") await wakeHeld(tx, o.app.consumer, [row.key]);
    else await o.app.noteIgnored(tx, [{ event, reason: verdict.reason }]);
    return;
  }
  if (row.age_ms < o.holdLimitMs) {
    const restMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(row.attempts, 16));
    await postponeHeld(tx, row, { reason: verdict.reason, restMs });
    return;
  }
  await bury(o, tx, { row, event }, new Error(`It waited too long: ${verdict.reason}`));
}

async function bury(
  o: HeldRetryOptions,
  db: Database | Transaction,
  { row, event }: Tried,
  error: Error,
): Promise<void> {
  await buryHeld(db, row, error);
  reportDead(o.app, event, error);
}

async function settleFailure(
  o: HeldRetryOptions,
  bugs: Map<string, number>,
  { row, event }: Tried,
  thrown: unknown,
): Promise<void> {
  const error = underlying(thrown);
  const kind = event.content.kind === "malformed" ? "permanent" : o.classify(thrown);
  if (kind === "transient") {
    o.app.log.warn({ ...nameOf(event), error }, "a held event is tried again later");
    return postponeHeld(o.db, row, { reason: error.message, restMs: TRANSIENT_REST_MS });
  }
  const tries = (bugs.get(row.id) ?? 0) + 1;
  if (kind === "bug" && tries < BUG_TRIES) {
    bugs.set(row.id, tries);
    return postponeHeld(o.db, row, { reason: error.message, restMs: RETRY_FIRST_MS });
  }
  bugs.delete(row.id);
  await bury(o, o.db, { row, event }, error);
}

// Gives held events their next try: when another event of their key was applied, or when the clock says so.
import { applyEvent, nameOf, reportDead, type Application } from "./apply.ts";
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
const TRANSIENT_REST_MS = 5_000;

export interface HeldRetryOptions {
  readonly app: Application;
  readonly db: Database;
  classify(error: unknown): ErrorKind;
  /** An event that found no ground for so long is dead. */
  readonly holdLimitMs: number;
  /** How often a handler may fail with a bug. */
  readonly bugTries: number;
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

/** False: nothing is due. */
async function retryOne(o: HeldRetryOptions, bugs: Map<string, number>): Promise<boolean> {
  let tried: { row: HeldRow; event: ReceivedEvent } | undefined;
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
      await retryIn(o, tx, tried.row, tried.event);
      return true;
    });
    if (found) o.app.onCommit();
    return found;
  } catch (error) {
    if (tried === undefined) throw error;
    await settleFailure(o, bugs, tried, error);
    return true;
  }
}

async function retryIn(
  o: HeldRetryOptions,
  tx: Transaction,
  row: HeldRow,
  event: ReceivedEvent,
): Promise<void> {
  const verdict = await applyEvent(o.app, tx, event);
  if (verdict.outcome !== "not_yet") {
    await removeHeld(tx, o.app.consumer, row);
    if (verdict.outcome === "applied") await wakeHeld(tx, o.app.consumer, [row.key]);
    return;
  }
  if (row.age_ms < o.holdLimitMs) {
    const restMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(row.attempts, 16));
    await postponeHeld(tx, row, { reason: verdict.reason, restMs });
    return;
  }
  const error = new Error(`It waited too long: ${verdict.reason}`);
  await buryHeld(tx, row, error);
  reportDead(o.app, event, error);
}

async function settleFailure(
  o: HeldRetryOptions,
  bugs: Map<string, number>,
  { row, event }: { row: HeldRow; event: ReceivedEvent },
  thrown: unknown,
): Promise<void> {
  const error = underlying(thrown);
  const kind = event.content.kind === "malformed" ? "permanent" : o.classify(thrown);
  if (kind === "transient") {
    o.app.log.warn({ ...nameOf(event), error }, "a held event is tried again later");
    return postponeHeld(o.db, row, { reason: error.message, restMs: TRANSIENT_REST_MS });
  }
  const tries = (bugs.get(row.id) ?? 0) + 1;
  if (kind === "bug" && tries < o.bugTries) {
    bugs.set(row.id, tries);
    return postponeHeld(o.db, row, { reason: error.message, restMs: RETRY_FIRST_MS });
  }
  bugs.delete(row.id);
  await buryHeld(o.db, row, error);
  reportDead(o.app, event, error);
}

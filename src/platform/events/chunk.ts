// Applies a chunk of events of one lane: together where nothing speaks against it, else one by one.
import { applyEvent, applyEvents, nameOf, reportDead, type Application } from "./apply.ts";
import { CRASH_LIMIT, type CrashCount } from "./crash-count.ts";
import { underlying } from "./failure.ts";
import { hold } from "./held.ts";
import { takeNew } from "./inbox.ts";
import type { ReceivedEvent } from "./received.ts";
import type { Database } from "./schema.ts";
import type { ErrorKind } from "./subscription.ts";

/** Events that share a transaction. */
export const CHUNK_EVENTS = 50;
/** How often a handler may fail with a bug. */
export const BUG_TRIES = 3;

export interface ChunkParts {
  readonly app: Application;
  readonly db: Database;
  readonly crashes: CrashCount;
  classify(error: unknown): ErrorKind;
  /** Held events became due. */
  wakeHeld(): void;
}

/**
 * All in one transaction; after an error one by one, so that only the event that fails stands back. Throws only what
 * is transient; `done` has then been called for the events before.
 */
export async function applyChunk(
  p: ChunkParts,
  events: readonly ReceivedEvent[],
  done: (event: ReceivedEvent) => void,
): Promise<void> {
  const suspects = await p.crashes.begin(events.map((event) => event.meta.eventId));
  if (suspects.size === 0 && (await appliedTogether(p, events))) {
    for (const event of events) done(event);
    return;
  }
  try {
    for (const event of events) {
      const { eventId } = event.meta;
      if (!suspects.has(eventId)) await applyAlone(p, event);
      else await p.crashes.alone(eventId, (crashes) => applySuspect(p, event, crashes));
      done(event);
    }
  } catch (error) {
    await p.crashes.left(events.map((event) => event.meta.eventId));
    throw error;
  }
}

/** False: not as one. */
async function appliedTogether(p: ChunkParts, events: readonly ReceivedEvent[]): Promise<boolean> {
  if (events.length < 2) return false;
  try {
    await commitEvents(p, events);
    return true;
  } catch (error) {
    const fields = { events: events.length, error: underlying(error) };
    p.app.log.info(fields, "a chunk of events is applied one by one");
    return false;
  }
}

/** Throws only what is transient: the event is tried again. Whatever else is thrown makes it dead. */
async function applyAlone(p: ChunkParts, event: ReceivedEvent): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await commitEvents(p, [event]);
      return;
    } catch (error) {
      const kind = p.classify(error);
      if (kind === "transient") throw error;
      if (kind === "permanent" || tries >= BUG_TRIES) return setAside(p, event, { error, tries });
    }
  }
}

async function applySuspect(p: ChunkParts, event: ReceivedEvent, crashes: number): Promise<void> {
  if (crashes < CRASH_LIMIT) return applyAlone(p, event);
  const error = crashError(crashes);
  await setAside(p, event, { error, tries: crashes });
}

export const crashError = (crashes: number): Error =>
  new Error(`${crashes} processes ended while they applied it.`);

async function commitEvents(p: ChunkParts, events: readonly ReceivedEvent[]): Promise<void> {
  const due = await p.db.transaction((tx) => applyEvents(p.app, tx, events));
  p.crashes.ended(events.map((event) => event.meta.eventId));
  if (due) p.wakeHeld();
  p.app.onCommit();
}

async function setAside(
  p: ChunkParts,
  event: ReceivedEvent,
  { error, tries }: { error: unknown; tries: number },
): Promise<void> {
  const { eventId } = event.meta;
  await p.db.transaction(async (tx) => {
    const fresh = await takeNew(tx, p.app.consumer, [eventId]);
    if (fresh.size === 0) return;
    await hold(tx, p.app.consumer, [{ event, why: { cause: "dead", error, attempts: tries } }]);
  });
  p.crashes.ended([eventId]);
  reportDead(p.app, event, underlying(error));
}

/**
 * Runs the handler again for an event that was applied before. What fails is told and not set aside, and what finds
 * no ground is let go: the later events of its key were applied long ago. Throws only what is transient.
 */
export async function repeatEvent(p: ChunkParts, event: ReceivedEvent): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const verdict = await p.db.transaction((tx) => applyEvent(p.app, tx, event));
      p.app.onVerdict?.(event, verdict.outcome === "applied" ? "applied" : "ignored");
      p.app.onCommit();
      return;
    } catch (error) {
      const kind = event.content.kind === "malformed" ? "permanent" : p.classify(error);
      if (kind === "transient") throw error;
      if (kind === "bug" && tries < BUG_TRIES) continue;
      p.app.onVerdict?.(event, "dead");
      const fields = { ...nameOf(event), error: underlying(error) };
      p.app.log.error(fields, "a second run of an event failed, and changed nothing");
      return;
    }
  }
}

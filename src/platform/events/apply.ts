// One transaction of a consumer: inbox rows, the effects of the events that are new, and what has to be held.
import { heldTopicsOf, hold, wakeHeld, type HoldCause } from "./held.ts";
import { takeNew } from "./inbox.ts";
import type { EventsLog } from "./ports.ts";
import type { ReceivedEvent } from "./received.ts";
import type { Transaction } from "./schema.ts";
import type { Outcome, Subscription } from "./subscription.ts";
import { together } from "./together.ts";

/** An event that changed nothing. */
export interface IgnoredEvent {
  readonly event: ReceivedEvent;
  readonly reason: string;
}

/** What became of an event. */
export type Verdict = "known" | "applied" | "ignored" | "held" | "dead";

export interface Application {
  readonly consumer: string;
  /** By topic. */
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  runInTrace<T>(traceparent: string | undefined, work: () => Promise<T>): Promise<T>;
  readonly log: EventsLog;
  /** Hears of every commit: there may be work that its effects left to do. */
  onCommit(): void;
  /** Writes down, in the transaction that takes them, why events changed nothing. */
  noteIgnored(tx: Transaction, events: readonly IgnoredEvent[]): Promise<void>;
  /** Hears what becomes of each event; after a transaction that failed it hears of the same ones again. */
  onVerdict?(event: ReceivedEvent, verdict: Verdict): void;
}

/** The verdict on one event: what its handler said, or what can be said without asking it. */
export async function applyEvent(
  app: Application,
  tx: Transaction,
  event: ReceivedEvent,
): Promise<Outcome> {
  const { content, meta } = event;
  if (content.kind === "malformed") throw content.error;
  if (content.kind === "unknown") return { outcome: "ignored", reason: content.reason };
  const subscription = app.subscriptions.get(meta.topic);
  if (subscription === undefined)
    return { outcome: "ignored", reason: "no subscription to its topic" };
  return app.runInTrace(meta.traceparent, () => subscription.handle(tx, content.message, meta));
}

const placeOf = (event: { topic: string; key: string }): string =>
  JSON.stringify([event.topic, event.key]);

/**
 * Applies events of one lane in their order. Returns true when held events became due. Throws what a handler throws;
 * then nothing is kept.
 */
export async function applyEvents(
  app: Application,
  tx: Transaction,
  events: readonly ReceivedEvent[],
): Promise<boolean> {
  const keys = [...new Set(events.map((event) => event.meta.key))];
  // Sent together, run one after the other: the second must see what the first may have waited for.
  const [fresh, held] = await together([
    takeNew(
      tx,
      app.consumer,
      events.map((event) => event.meta.eventId),
    ),
    heldTopicsOf(tx, app.consumer, keys),
  ]);
  const stuck = new Set(held.map(placeOf));
  const taken = new Set<string>();
  const toHold: { event: ReceivedEvent; why: HoldCause }[] = [];
  const ignored: IgnoredEvent[] = [];
  const applied = new Set<string>();

  for (const event of events) {
    const { eventId, key } = event.meta;
    if (!fresh.has(eventId) || taken.has(eventId)) {
      app.onVerdict?.(event, "known"); // delivered before, here or in this very batch
      continue;
    }
    taken.add(eventId);
    const why = stuck.has(placeOf(event.meta))
      ? ({ cause: "behind" } as const)
      : await reasonToHold(app, tx, event, ignored);
    if (why === undefined) applied.add(key);
    else toHold.push({ event, why });
    if (why === undefined) continue;
    stuck.add(placeOf(event.meta));
    if (why.cause !== "dead") app.onVerdict?.(event, "held");
  }
  await together([hold(tx, app.consumer, toHold), app.noteIgnored(tx, ignored)]);
  const due = held.map((row) => row.key).filter((key) => applied.has(key));
  if (due.length > 0) await wakeHeld(tx, app.consumer, due);
  return due.length > 0;
}

/** Undefined: the event is done; among the ignored ones, if it changed nothing. */
async function reasonToHold(
  app: Application,
  tx: Transaction,
  event: ReceivedEvent,
  ignored: IgnoredEvent[],
): Promise<HoldCause | undefined> {
  if (event.content.kind === "malformed") {
    reportDead(app, event, event.content.error);
    return { cause: "dead", error: event.content.error, attempts: 0 };
  }
  const verdict = await applyEvent(app, tx, event);
  if (verdict.outcome === "not_yet") return { cause: "not_yet", reason: verdict.reason };
  app.onVerdict?.(event, verdict.outcome);
  if (verdict.outcome === "ignored") {
    ignored.push({ event, reason: verdict.reason });
    app.log.info({ ...nameOf(event), reason: verdict.reason }, "event ignored");
  }
  return undefined;
}

/** How an event is named in the log. */
export const nameOf = ({ meta }: ReceivedEvent) => ({
  eventId: meta.eventId,
  type: meta.type,
  topic: meta.topic,
  partition: meta.partition,
  offset: String(meta.offset),
  ...(meta.traceparent !== undefined && { traceparent: meta.traceparent }),
});

export function reportDead(app: Application, event: ReceivedEvent, error: Error): void {
  app.onVerdict?.(event, "dead");
  app.log.error(
    { ...nameOf(event), error },
    "event dead: it is kept, and the later ones of its key behind it",
  );
}

// Everything that can be planted into the event layer, by name: seams where a process dies, rough weather, and defects.
import type { Edit } from "./edit.ts";

const EVENTS = "src/platform/events";
const inFile =
  (file: string) =>
  (anchor: string, by: string): Edit => ({ file: `${EVENTS}/${file}`, anchor, by });
const relay = inFile("relay.ts");
const sending = inFile("outbox-send.ts");
const hint = inFile("outbox-hint.ts");
const leases = inFile("shard-lease.ts");
const outbox = inFile("outbox.ts");
const hash = inFile("key-hash.ts");
const inbox = inFile("inbox.ts");
const apply = inFile("apply.ts");
const consumer = inFile("consumer.ts");
const chunk = inFile("chunk.ts");
const lane = inFile("lane.ts");
const kafka = inFile("kafka-record.ts");
const producer = inFile("kafka-producer.ts");

/** Correct code survives these. */
const SEAMS = {
  /** The broker has the batch, its rows are still in the outbox. */
  "relay.acknowledged": [
    sending(
      "await deleteRows(s.db, mine);",
      `globalThis.soil.strike("relay.acknowledged", mine.length); await deleteRows(s.db, mine);`,
    ),
  ],
  /** The effects are in the transaction, which is not committed. */
  "consumer.applied": [
    apply(
      "return due.length > 0;",
      `if (applied.size > 0) globalThis.soil.strike("consumer.applied", applied.size, [...taken]); return due.length > 0;`,
    ),
  ],
  /** The effects are committed, the offset is not. */
  "consumer.committed": [
    chunk(
      "if (due) p.wakeHeld();",
      `globalThis.soil.strike("consumer.committed", events.length); if (due) p.wakeHeld();`,
    ),
  ],
  /** The way to the broker is slow, fails before or after the deed, and does it twice. */
  "weather.send": [
    producer(
      "await producer.send(records);",
      "await globalThis.soil.send(() => producer.send(records), records.length);",
    ),
  ],
  /** How long each read of the outbox takes is told. */
  "measure.fetch": [
    sending(
      "await readBatch(s.db, read);",
      "await globalThis.soil.timed(() => readBatch(s.db, read));",
    ),
  ],
  /** Leases are short, so that what a dead relay held is free again soon. */
  "lease.short": [relay("const LEASE_MS = 6_000;", "const LEASE_MS = 1_500;")],
  /** The reads of the outbox begin close to what was sent last, so that many rows come late. */
  "hint.tight": [hint("const MARGIN_IDS = 2_000n;", "const MARGIN_IDS = 3n;")],
} as const satisfies Record<string, readonly Edit[]>;

/** With each of these the proof must fail. */
const DEFECTS = {
  /** Every delivery of an event is taken for the first. */
  "inbox.off": [
    inbox(
      "return new Set(rows.map((row) => row.event_id));",
      "void rows; return new Set(eventIds);",
    ),
  ],
  /** Every relay holds every shard. */
  "lease.off": [
    leases(
      "return (this.#deadlines.get(shard) ?? -Infinity) > this.#clock();",
      "return void shard, true;",
    ),
    leases(
      "return [...this.#deadlines.keys()].filter((shard) => this.holds(shard));",
      "return Array.from({ length: SHARDS }, (_, shard) => shard);",
    ),
  ],
  /** The events of one key are in several shards. */
  "shard.by-chance": [
    hash("=> keyHash(key) % SHARDS;", "=> (void key, Math.floor(Math.random() * SHARDS));"),
  ],
  /** The event is written by a connection of its own: a roll-back does not take it along. */
  "outbox.elsewhere": [
    outbox("await tx.execute(sql`", "await globalThis.soil.elsewhere(void tx, sql`"),
  ],
  /** The event is written when the transaction is long committed, unless the process dies before. */
  "outbox.later": [outbox("await tx.execute(sql`", "globalThis.soil.later(void tx, sql`")],
  /** The row is gone before the broker has the event. */
  "delete.early": [
    sending(
      "await s.producer.send(mine.map(toRecord), { signal });",
      "await deleteRows(s.db, mine); await s.producer.send(mine.map(toRecord), { signal });",
    ),
  ],
  /** What overtakes a late row of its key is sent. */
  "late.ignored": [sending("!row.behind_parked && !row.behind_late", "!row.behind_parked")],
  /** The newest events are sent first. */
  "outbox.newest-first": [
    sending(
      "s.producer.send(mine.map(toRecord), { signal });",
      "s.producer.send(mine.map(toRecord).reverse(), { signal });",
    ),
  ],
  /** An event goes to any partition of its topic. */
  "partition.by-chance": [
    kafka("key: buffer(key),", "key: buffer(key), partition: Math.floor(Math.random() * 6),"),
  ],
  /** The offset of a whole batch is committed before its first event is applied. */
  "offset.early": [
    consumer(
      "const timer = setInterval(() => void commit(), COMMIT_EVERY_MS);",
      `const timer = setInterval(() => void commit(), COMMIT_EVERY_MS);
       for (const { offset } of batch.records) watermark.done(offset);
       await commit();`,
    ),
  ],
  /** The inbox row and the effect are not in one transaction. */
  "effect.elsewhere": [
    chunk(
      "p.db.transaction((tx) => applyEvents(p.app, tx, events))",
      "applyEvents(p.app, p.db, events)",
    ),
  ],
  /** Events of one key are applied at the same time. */
  "lane.by-chance": [
    lane(
      "laneOf: (key) => keyHash(key) % count,",
      "laneOf: (key) => (void keyHash(key), Math.floor(Math.random() * count)),",
    ),
  ],
  /** What comes after a held event of its key does not wait for it. */
  "quarantine.off": [
    apply(
      "const why = stuck.has(placeOf(event.meta))",
      "const why = stuck.has(placeOf(event.meta)) && false",
    ),
  ],
} as const satisfies Record<string, readonly Edit[]>;

const PLANTS = { ...SEAMS, ...DEFECTS };

export type DefectName = keyof typeof DEFECTS;
export type PlantName = keyof typeof PLANTS;

export const DEFECT_NAMES = Object.keys(DEFECTS) as DefectName[];
export const PLANT_NAMES = Object.keys(PLANTS) as PlantName[];

export const editsOf = (name: PlantName): readonly Edit[] => PLANTS[name];

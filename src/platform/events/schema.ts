// The tables of the event layer. Every database whose service publishes or reads events has them.
import { sql } from "drizzle-orm";
import {
  bigint,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type { HeaderTexts, StoredHeaders } from "./cloud-event.ts";

export type Database = PostgresJsDatabase;
/** What `Database.transaction` hands to its callback. */
export type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const time = (name: string) => timestamp(name, { withTimezone: true });
const big = (name: string) => bigint(name, { mode: "bigint" });

/** Events that were committed and wait to be sent; a row is deleted when the broker has it. */
export const outbox = pgTable(
  "outbox",
  {
    id: big("id").primaryKey().generatedAlwaysAsIdentity(),
    eventId: uuid("event_id").notNull(),
    topic: text("topic").notNull(),
    aggregateType: text("aggregate_type").notNull(),
    /** The record's key. */
    aggregateId: text("aggregate_id").notNull(),
    type: text("type").notNull(),
    seq: big("seq").notNull(),
    shard: smallint("shard").notNull(),
    payload: bytea("payload").notNull(),
    headers: jsonb("headers").$type<HeaderTexts>().notNull(),
    createTime: time("create_time").notNull().defaultNow(),
  },
  (table) => [unique("outbox_topic_key_seq").on(table.topic, table.aggregateId, table.seq)],
);

/** The last sequence of each topic and key. Its row lock serialises two transactions that publish for one key. */
export const eventSequence = pgTable(
  "event_sequence",
  {
    topic: text("topic").notNull(),
    key: text("key").notNull(),
    last: big("last").notNull(),
    updateTime: time("update_time").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.topic, table.key] })],
);

/** Which relay may send the rows of a shard, and until when. */
export const outboxShard = pgTable("outbox_shard", {
  shard: smallint("shard").primaryKey(),
  owner: uuid("owner"),
  leaseUntil: time("lease_until")
    .notNull()
    .default(sql`'-infinity'`),
});

/** The relays that are alive: their number is what a fair share is counted by. */
export const relayHeartbeat = pgTable("relay_heartbeat", {
  relay: uuid("relay").primaryKey(),
  seenTime: time("seen_time").notNull().defaultNow(),
});

/** Events that the broker refuses, and the later ones of their key, in order, until an operator releases them. */
export const outboxParked = pgTable(
  "outbox_parked",
  {
    id: big("id").primaryKey(),
    eventId: uuid("event_id").notNull(),
    topic: text("topic").notNull(),
    aggregateType: text("aggregate_type").notNull(),
    aggregateId: text("aggregate_id").notNull(),
    type: text("type").notNull(),
    seq: big("seq").notNull(),
    shard: smallint("shard").notNull(),
    payload: bytea("payload").notNull(),
    headers: jsonb("headers").$type<HeaderTexts>().notNull(),
    createTime: time("create_time").notNull(),
    reason: text("reason").notNull(),
    parkTime: time("park_time").notNull().defaultNow(),
  },
  (table) => [unique("outbox_parked_topic_key_seq").on(table.topic, table.aggregateId, table.seq)],
);

/** The events that a consumer has taken: the second delivery of one finds its row here. */
export const inbox = pgTable(
  "inbox",
  {
    consumer: text("consumer").notNull(),
    eventId: uuid("event_id").notNull(),
    processTime: time("process_time").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.consumer, table.eventId] })],
);

/**
 * Events whose handlers were begun and have not ended: a row that is found by the next process is of one that died in
 * the middle. Not logged to the WAL (see the migration): after a crash of the database the counts begin anew.
 */
export const eventAttempt = pgTable(
  "event_attempt",
  {
    consumer: text("consumer").notNull(),
    eventId: uuid("event_id").notNull(),
    /** How often it was begun. */
    started: integer("started").notNull(),
  },
  (table) => [primaryKey({ columns: [table.consumer, table.eventId] })],
);

/** What operators did to events: who, when, what, why. Rows are only added. */
export const eventAudit = pgTable(
  "event_audit",
  {
    id: uuid("id").primaryKey(),
    /** "operator:<sub>" */
    actor: text("actor").notNull(),
    /** The RPC: "SkipDeadLetter". */
    action: text("action").notNull(),
    /** What it was asked to act on: the request, without its reason. */
    subject: jsonb("subject").$type<Readonly<Record<string, unknown>>>().notNull(),
    reason: text("reason").notNull(),
    /** How many events it changed. */
    events: integer("events").notNull(),
    createTime: time("create_time").notNull().defaultNow(),
  },
  (table) => [index("event_audit_time").on(table.createTime)],
);

/**
 * Events that were taken but not applied: those whose ground has not come yet, dead ones, and whatever of the same
 * topic and key came after them. The row with the least id of a topic and key is its head; only a head has a due time.
 */
export const heldEvent = pgTable(
  "held_event",
  {
    id: big("id").primaryKey().generatedAlwaysAsIdentity(),
    consumer: text("consumer").notNull(),
    topic: text("topic").notNull(),
    key: text("key").notNull(),
    eventId: uuid("event_id").notNull(),
    type: text("type").notNull(),
    seq: big("seq").notNull(),
    partition: integer("partition").notNull(),
    offset: big("offset").notNull(),
    headers: jsonb("headers").$type<StoredHeaders>().notNull(),
    recordKey: bytea("record_key"),
    payload: bytea("payload"),
    state: text("state").$type<"waiting" | "dead">().notNull(),
    reason: text("reason").notNull(),
    /** Of a dead event: what was thrown, with its stack. */
    error: text("error"),
    attempts: integer("attempts").notNull().default(0),
    dueTime: time("due_time"),
    createTime: time("create_time").notNull().defaultNow(),
    /** Since when it is dead. */
    deadTime: time("dead_time"),
  },
  (table) => [
    unique("held_event_consumer_event").on(table.consumer, table.eventId),
    index("held_event_key").on(table.consumer, table.key, table.topic, table.id),
    index("held_event_due")
      .on(table.consumer, table.dueTime)
      .where(sql`${table.state} = 'waiting'`),
  ],
);

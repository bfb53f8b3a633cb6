// The promise: the events of a key reach the topic in their order, however late one of them commits, and none stays behind.
import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { createMemoryBroker } from "../src/platform/events/memory.ts";
import { createOutbox } from "../src/platform/events/outbox.ts";
import type { InRecord } from "../src/platform/events/ports.ts";
import { startRelay } from "../src/platform/events/relay.ts";
import type { Transaction } from "../src/platform/events/schema.ts";
import { eventually } from "./harness/eventually.ts";
import { openOwnDatabase, type OwnDatabase } from "./harness/own-database.ts";

const TOPIC = "order-events";
/** More than the IDs below the last sent one at which the relay still looks with every read. */
const MANY_EVENTS = 3_000;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const outbox = createOutbox({
  source: "/test",
  namespace: "",
  traceparent: () => undefined,
  newId: v7,
});

let database: OwnDatabase;
beforeAll(async () => {
  database = await openOwnDatabase(inject("servers"));
});
afterAll(() => database?.[Symbol.asyncDispose]());

const publish = (tx: Transaction, orderId: string, number: string): Promise<void> =>
  outbox.publish(tx, OrderEventSchema, {
    orderId,
    customerId: "test",
    event: { case: "orderCreated", value: { number } },
  });

/** Rows of other keys, as many transactions would have left them. */
async function publishMany(): Promise<void> {
  await database.db.execute(sql`
    INSERT INTO outbox (event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
    SELECT gen_random_uuid(), ${TOPIC}, 'order', 'other-' || i, 'order.created', 1, i % 16, '', '{}'
    FROM generate_series(1, ${MANY_EVENTS}::int) AS i`);
}

const waiting = async (): Promise<number> => {
  const rows = await database.db.execute<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM outbox`,
  );
  return rows[0]?.count ?? 0;
};

async function sequencesOf(
  broker: ReturnType<typeof createMemoryBroker>,
  key: string,
): Promise<string[]> {
  const found: InRecord[] = [];
  const log = broker.log();
  await log.read({
    topic: TOPIC,
    ranges: await log.ranges(TOPIC),
    signal: new AbortController().signal,
    onRecords: async (records) => void found.push(...records),
  });
  return found
    .filter((record) => String(record.key && Buffer.from(record.key)) === key)
    .map((record) => Buffer.from(record.headers.get("ce_sequence") ?? []).toString());
}

test("an event that commits long after it took its place goes before the next one of its key", async () => {
  const { db } = database;
  const broker = createMemoryBroker({ topics: { [TOPIC]: 6 } });
  const key = v7();
  const begun = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const late = db.transaction(async (tx) => {
    await publish(tx, key, "first");
    begun.resolve();
    await mayCommit.promise;
  });
  await begun.promise;
  // It waits for the first one's row lock, and commits right behind it.
  const next = db.transaction((tx) => publish(tx, key, "second"));
  await publishMany();
  await using relay = startRelay({ db, producer: broker.producer(), log: silent });
  await eventually(async () => expect(await waiting()).toBe(0));

  mayCommit.resolve();
  await Promise.all([late, next]);
  relay.wake();

  await eventually(async () => expect(await sequencesOf(broker, key)).toEqual(["1", "2"]));
});

test("an event that commits long after it took its place is found, though nothing of its key follows", async () => {
  const { db } = database;
  const broker = createMemoryBroker({ topics: { [TOPIC]: 6 } });
  const key = v7();
  const begun = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const late = db.transaction(async (tx) => {
    await publish(tx, key, "only");
    begun.resolve();
    await mayCommit.promise;
  });
  await begun.promise;
  await publishMany();
  await using _ = startRelay({ db, producer: broker.producer(), log: silent });
  await eventually(async () => expect(await waiting()).toBe(0));

  mayCommit.resolve();
  await late;

  await eventually(async () => expect(await sequencesOf(broker, key)).toEqual(["1"]));
});

test("an answer of the broker that is lost is a second delivery, and no row is lost", async () => {
  const { db } = database;
  const broker = createMemoryBroker({ topics: { [TOPIC]: 6 } });
  const keys = [v7(), v7()] as const;
  broker.failNextSend("written");
  broker.failNextSend("lost");
  for (const key of keys) await db.transaction((tx) => publish(tx, key, "x"));
  await using _ = startRelay({ db, producer: broker.producer(), log: silent });

  await eventually(async () => {
    expect(await waiting()).toBe(0);
    for (const key of keys) expect(await sequencesOf(broker, key)).toEqual(["1", "1"]);
  });
});

test("an event that the broker refuses stands aside with the later ones of its key, and the others go on", async () => {
  const { db } = database;
  const broker = createMemoryBroker({ topics: { [TOPIC]: 6 }, batchLimitBytes: 20_000 });
  const [large, other] = [v7(), v7()];
  await db.transaction((tx) => publish(tx, large, "x".repeat(30_000)));
  await db.transaction((tx) => publish(tx, large, "small"));
  await db.transaction((tx) => publish(tx, other, "small"));
  await using relay = startRelay({ db, producer: broker.producer(), log: silent });
  await eventually(async () => expect(await waiting()).toBe(0));
  await db.transaction((tx) => publish(tx, large, "later"));
  relay.wake();

  await eventually(async () => {
    expect(await waiting()).toBe(0);
    const parked = await db.execute<{ seq: string }>(
      sql`SELECT seq::text FROM outbox_parked WHERE aggregate_id = ${large} ORDER BY id`,
    );
    expect(parked.map((row) => row.seq)).toEqual(["1", "2", "3"]);
  });
  expect(await sequencesOf(broker, large)).toEqual([]);
  // Perhaps twice: other partitions may have taken their part of the batch that was refused.
  expect(new Set(await sequencesOf(broker, other))).toEqual(new Set(["1"]));
});

// The promise: however an operator's release and the relay cross, no event of a parked key is left behind or overtakes another.
import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { parkBehind, readBatch } from "../src/platform/events/outbox-rows.ts";
import { releaseParked, skipParked } from "../src/platform/events/parked.ts";
import { eventually } from "./harness/eventually.ts";
import { openOwnDatabase, type OwnDatabase } from "./harness/own-database.ts";

const topic = "order-events";

let database: OwnDatabase;
beforeAll(async () => {
  database = await openOwnDatabase(inject("servers"));
});
afterAll(() => database?.[Symbol.asyncDispose]());

let key: string;
const eventIds = [v7(), v7()] as const;
beforeEach(async () => {
  key = v7();
  const { db } = database;
  await db.execute(sql`TRUNCATE outbox, outbox_parked`);
  await db.execute(sql`
    INSERT INTO outbox_parked (id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers,
                               create_time, reason)
    VALUES (1, ${eventIds[0]}, ${topic}, 'order', ${key}, 'order.created', 1, 0, '', '{}', now(), 'refused')`);
  await db.execute(sql`
    INSERT INTO outbox (id, event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
    OVERRIDING SYSTEM VALUE
    VALUES (2, ${eventIds[1]}, ${topic}, 'order', ${key}, 'order.paid', 2, 0, '', '{}')`);
});

const sequences = async (table: "outbox" | "outbox_parked"): Promise<string[]> => {
  const rows = await database.db.execute<{ seq: string }>(
    sql`SELECT seq::text FROM ${sql.identifier(table)} ORDER BY id`,
  );
  return rows.map((row) => row.seq);
};

const readAll = () => readBatch(database.db, { shards: [0], withoutTopics: [], after: 0n });

/** Waits until so many sessions of this database wait for a lock. */
const waiting = (count: number) =>
  eventually(async () => {
    const rows = await database.db.execute<{ n: number }>(sql`
      SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    expect(rows[0]?.n).toBe(count);
  });

test("a relay that read a later event before the release does not park it after", async () => {
  const rows = await readAll();
  expect(rows.map((row) => row.behind_parked)).toEqual([true]);
  let parking: Promise<void> = Promise.resolve();

  await database.db.transaction(async (tx) => {
    expect(await releaseParked(tx, { topic, key })).toBe(1);
    parking = parkBehind(database.db, rows);
    await waiting(1);
  });
  await parking;

  expect(await sequences("outbox")).toEqual(["1", "2"]);
  expect(await sequences("outbox_parked")).toEqual([]);
  expect((await readAll()).map((row) => [row.id, row.event_id, row.behind_parked])).toEqual([
    ["1", eventIds[0], false],
    ["2", eventIds[1], false],
  ]);
});

test("a release that comes while the relay parks a later event takes that one along", async () => {
  let releasing: Promise<number> = Promise.resolve(0);

  await database.db.transaction(async (tx) => {
    // What parkBehind does, in a transaction that is still open.
    await tx.execute(sql`SELECT 1 FROM outbox_parked WHERE aggregate_id = ${key} FOR SHARE`);
    await tx.execute(sql`
      WITH moved AS (DELETE FROM outbox RETURNING *)
      INSERT INTO outbox_parked SELECT *, 'behind', now() FROM moved`);
    releasing = database.db.transaction((other) => releaseParked(other, { topic, key }));
    await waiting(1);
  });

  expect(await releasing).toBe(2);
  expect(await sequences("outbox")).toEqual(["1", "2"]);
  expect(await sequences("outbox_parked")).toEqual([]);
});

test("of two operators who release the same key, one does", async () => {
  let second: Promise<number> = Promise.resolve(-1);

  await database.db.transaction(async (tx) => {
    expect(await releaseParked(tx, { topic, key })).toBe(1);
    second = database.db.transaction((other) => releaseParked(other, { topic, key }));
    await waiting(1);
  });

  expect(await second).toBe(0);
  expect(await sequences("outbox")).toEqual(["1", "2"]);
});

test("an event that is skipped while it is released goes out, and the skip finds nothing", async () => {
  let skipping: Promise<number | undefined> = Promise.resolve(-1);

  await database.db.transaction(async (tx) => {
    await releaseParked(tx, { topic, key });
    skipping = database.db.transaction((other) => skipParked(other, eventIds[0]));
    await waiting(1);
  });

  expect(await skipping).toBeUndefined();
  expect(await sequences("outbox")).toEqual(["1", "2"]);
});

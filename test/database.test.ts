// The promise of the database's client: what a statement gives is its own, whatever happened to the ones before it.
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openDatabase } from "../src/platform/database/open.ts";

const open = openDatabase({
  databaseUrl: inject("servers").postgresUrl,
  databasePoolSize: 1,
  service: "test",
});
beforeAll(() => open.ping());
afterAll(() => open[Symbol.asyncDispose]());

test("rows that came before a statement failed are not part of the next one's result", async () => {
  const { db } = open;
  await expect(
    db.execute(sql`select 1 / (900 - n) from generate_series(1, 1000) n`),
  ).rejects.toThrow();

  const rows = await db.execute<{ n: number }>(sql`select n from generate_series(1, 2) n`);

  expect([...rows]).toEqual([{ n: 1 }, { n: 2 }]);
});

test("what a failed part of a transaction leaves running is not executed after the rollback", async () => {
  const { db } = open;
  await db.execute(sql`create table if not exists left_behind (n int)`);
  let late: Promise<unknown> = Promise.resolve();
  const rolledBack = Promise.withResolvers<void>();
  const failed = db.transaction(async (tx) => {
    late = rolledBack.promise.then(() => tx.execute(sql`insert into left_behind values (1)`));
    await tx.execute(sql`select 1 / 0`);
  });
  await expect(failed).rejects.toThrow();
  rolledBack.resolve();

  await expect(late).rejects.toThrow();
  expect([...(await db.execute(sql`select n from left_behind`))]).toEqual([]);
  await db.execute(sql`drop table left_behind`);
});

// For planted defects: a connection that knows nothing of the transaction beside it.
import { setTimeout as pause } from "node:timers/promises";
import type { SQL } from "drizzle-orm";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";

/** Names the database for it: the programs under test have it in their settings. */
export const ELSEWHERE_SETTING = "WAYBILL_TEST_ELSEWHERE";
const LATER_MS = 150;

let opened: PostgresJsDatabase | undefined;

export function elsewhere(): PostgresJsDatabase {
  const url = process.env[ELSEWHERE_SETTING];
  if (url === undefined) throw new Error(`${ELSEWHERE_SETTING} names no database.`);
  opened ??= drizzle(postgres(url, { max: 2 }));
  return opened;
}

/** The statement runs after a while; the caller is told that it did. */
export function muchLater(statement: SQL): Promise<void> {
  void pause(LATER_MS).then(() => elsewhere().execute(statement));
  return Promise.resolve();
}

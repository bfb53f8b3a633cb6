// Bounds how long a transaction waits for another one, so that whoever asked can be told in time.
import { sql } from "drizzle-orm";
import type { Transaction } from "./open.ts";

/** SQLSTATE lock_not_available. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const LOCK_NOT_AVAILABLE = "55P03";

/** From here on each statement of the transaction waits so long for a lock, in milliseconds, and then fails: waitedTooLong. */
export async function limitLockWait(tx: Transaction, withinMs: number): Promise<void> {
  const limit = String(Math.max(1, Math.floor(withinMs)));
  await tx.execute(sql`select set_config('lock_timeout', ${limit}, true)`);
}

/** True where the error, or what it wraps, says that a lock was not to be had in time. */
export function waitedTooLong(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("code" in error && error.code === LOCK_NOT_AVAILABLE) return true;
  return "cause" in error && waitedTooLong(error.cause);
}

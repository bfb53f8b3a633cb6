// Pieces of SQL that the operators' statements share.
import { sql, type SQL } from "drizzle-orm";

/** A time or an interval in whole milliseconds: the driver would give a text in the session's time zone. Null stays null. */
export const epochMs = (time: SQL): SQL => sql`floor(extract(epoch FROM ${time}) * 1000)::float8`;

/** A time as a parameter. */
export const timestamp = (time: Date): SQL => sql`${time.toISOString()}::timestamptz`;

/** Undefined: there is no such filter. */
export const filter = <T>(value: T | undefined, condition: (value: T) => SQL): SQL | undefined =>
  value === undefined ? undefined : condition(value);

export interface PageOf {
  /** The sort key of the last row of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

// What is stored: how many rows every table of the two services has.
import postgres from "postgres";
import { isDeepStrictEqual } from "node:util";
import { eventually } from "../harness/eventually.ts";
import type { Place } from "../harness/place.ts";
import { setTimeout as pause } from "node:timers/promises";

/** Tables that live by the clock: what is sent leaves the outbox, and relays give signs of life. */
const BY_THE_CLOCK = ["outbox", "relay_heartbeat"];
/** Two equal looks so far apart are rest, in milliseconds. */
const REST_MS = 150;

export type Counts = Readonly<Record<string, number>>;

export interface Rows extends AsyncDisposable {
  count(): Promise<Counts>;
  /** The counts once nothing moves them any more. */
  atRest(): Promise<Counts>;
}

export async function openRows(place: Place): Promise<Rows> {
  const stores = ["order", "payment"] as const;
  const open = await Promise.all(
    stores.map(async (store) => {
      const sql = postgres(place.stack.postgres[store], { max: 1, onnotice: () => undefined });
      const tables = await sql<{ name: string }[]>`
        select tablename as name from pg_tables
        where schemaname = 'public' and not tablename = any(${BY_THE_CLOCK}) order by 1`;
      const columns = tables.map(
        ({ name }) => `(select count(*)::int from "${name}") as "${store}.${name}"`,
      );
      return { sql, text: `select ${columns.join(", ")}` };
    }),
  );
  const count = async (): Promise<Counts> => {
    const counts = await Promise.all(
      open.map(async ({ sql, text }) => (await sql.unsafe<Record<string, number>[]>(text))[0]),
    );
    return Object.assign({}, ...counts) as Counts;
  };
  return {
    count,
    atRest: () =>
      eventually(async () => {
        const before = await count();
        await pause(REST_MS);
        const after = await count();
        if (!isDeepStrictEqual(before, after)) throw new Error("the rows are not at rest");
        return after;
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(open.map(({ sql }) => sql.end()));
    },
  };
}

/** "order.orders 3 → 4", of each table that changed. */
export const changesOf = (before: Counts, after: Counts): string[] =>
  Object.entries(after)
    .filter(([table, rows]) => before[table] !== rows)
    .map(([table, rows]) => `${table} ${before[table]} → ${rows}`);

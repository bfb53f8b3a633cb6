// Looks into the services' databases, past the services: what is stored, and what is not.
import postgres from "postgres";
import type { Store } from "../../dev/backends/databases.ts";
import type { Place } from "./place.ts";

/** The answer to a query. Values are given as $1, $2 … */
export async function query<Row extends object>(
  place: Place,
  store: Store,
  text: string,
  values: readonly (string | number | readonly string[])[] = [],
): Promise<Row[]> {
  const sql = postgres(place.stack.postgres[store], { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe<Row[]>(text, [...values]))];
  } finally {
    await sql.end();
  }
}

/** How many rows the tables of a database have, by table. */
export async function counts(
  place: Place,
  store: Store,
  tables: readonly string[],
): Promise<Record<string, number>> {
  const columns = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  const [row] = await query<Record<string, number>>(place, store, `select ${columns.join(", ")}`);
  return { ...row };
}

/** Until it is disposed, whoever uses the table waits. */
export async function lockTable(
  place: Place,
  store: Store,
  table: string,
): Promise<AsyncDisposable & { readonly waiting: () => Promise<number> }> {
  const sql = postgres(place.stack.postgres[store], { max: 2, onnotice: () => undefined });
  const holder = await sql.reserve();
  await holder.unsafe(`begin; lock table ${table} in access exclusive mode`);
  return {
    waiting: async () => {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from pg_locks where not granted and relation = ${table}::regclass`;
      return row?.n ?? 0;
    },
    [Symbol.asyncDispose]: async () => {
      await holder`rollback`;
      holder.release();
      await sql.end();
    },
  };
}

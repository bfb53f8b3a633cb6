// The databases of a stack on a PostgreSQL server: made, named and dropped.
import postgres from "postgres";

const DUPLICATE_DATABASE = "42P04";
const NAME = /^[a-z0-9_]{1,60}$/;

/** The services that keep rows, each in a database of its own. */
export const STORES = ["order", "payment", "notification"] as const;
export type Store = (typeof STORES)[number];

/** `<namespace>_waybill_order`, or `waybill_order` without a namespace. */
export function databaseName(store: Store, namespace: string): string {
  return `${namespace === "" ? "" : `${namespace}_`}waybill_${store}`;
}

/** The URL of another database on the same server. */
export function databaseUrl(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

/** Makes the database unless it is there. */
export async function createDatabase(server: string, name: string): Promise<string> {
  await asking(server, async (sql) => {
    const found = await sql`select 1 from pg_database where datname = ${name}`;
    if (found.length > 0) return;
    await sql.unsafe(`create database "${checked(name)}"`).catch((error: unknown) => {
      const meanwhile =
        error instanceof postgres.PostgresError && error.code === DUPLICATE_DATABASE;
      if (!meanwhile) throw error;
    });
  });
  return databaseUrl(server, name);
}

/** Drops the database, whoever is connected to it. */
export async function dropDatabase(server: string, name: string): Promise<void> {
  await asking(server, async (sql) => {
    await sql.unsafe(`drop database if exists "${checked(name)}" with (force)`);
  });
}

async function asking(server: string, ask: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(server, { max: 1, onnotice: () => undefined });
  try {
    await ask(sql);
  } finally {
    await sql.end();
  }
}

function checked(name: string): string {
  if (!NAME.test(name)) throw new Error(`"${name}" is no name for a database of Waybill.`);
  return name;
}

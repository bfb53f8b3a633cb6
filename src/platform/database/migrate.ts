// Brings a database to the schema of the code, at start. Several processes may start at once: one migrates, the others wait.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

/** The advisory lock that a migration holds, in its own database. */
const LOCK_ID = 7_291_145;

/** Applies what is missing of `migrations/<service>`. */
export async function migrateDatabase(options: {
  readonly url: string;
  readonly folder: URL;
}): Promise<void> {
  const client = postgres(options.url, { max: 1, onnotice: () => undefined });
  try {
    await client`select pg_advisory_lock(${LOCK_ID})`;
    await migrate(drizzle(client), { migrationsFolder: options.folder.pathname });
  } catch (error) {
    throw new Error(`The database could not be brought up to date: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    // Ending the session gives the lock back, whatever happened.
    await client.end({ timeout: 5 });
  }
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === "ECONNREFUSED") return "nothing answers at DATABASE_URL. Is PostgreSQL running?";
  if (code === "3D000") return "the database that DATABASE_URL names does not exist. Create it.";
  if (code === "28P01" || code === "28000")
    return "PostgreSQL refuses the user or password of DATABASE_URL.";
  return error instanceof Error ? error.message : String(error);
}

// A database of a test's own, with the tables of a service: for tests of the event layer alone.
import { randomBytes } from "node:crypto";
import { createDatabase, dropDatabase } from "../../dev/backends/databases.ts";
import { migrateDatabase } from "../../src/platform/database/migrate.ts";
import { openDatabase } from "../../src/platform/database/open.ts";
import type { Database } from "../../src/platform/events/schema.ts";
import type { Servers } from "./place.ts";

const MIGRATIONS = new URL("../../migrations/order/", import.meta.url);
const POOL_SIZE = 8;

export interface OwnDatabase extends AsyncDisposable {
  readonly db: Database;
  readonly url: string;
}

export async function openOwnDatabase(servers: Servers): Promise<OwnDatabase> {
  const name = `t_${randomBytes(6).toString("hex")}`;
  await using parts = new AsyncDisposableStack();
  const databaseUrl = await createDatabase(servers.postgresUrl, name);
  parts.defer(() => dropDatabase(servers.postgresUrl, name));
  await migrateDatabase({ url: databaseUrl, folder: MIGRATIONS });
  const { db } = parts.use(
    openDatabase({ databaseUrl, databasePoolSize: POOL_SIZE, service: "test" }),
  );
  const running = parts.move();
  return { db, url: databaseUrl, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

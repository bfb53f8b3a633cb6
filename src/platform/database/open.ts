// Opens a service's PostgreSQL database: one pool, with a limit on everything that could hang.
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import type { Database } from "../events/schema.ts";

export type { Database, Transaction } from "../events/schema.ts";

const CONNECT_TIMEOUT_S = 5;
const STATEMENT_TIMEOUT_MS = 15_000;
/** An open transaction keeps the outbox's dead rows alive, so one that does nothing is ended. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
const RECONNECT_DELAY_S = 0.2;
const CLOSE_TIMEOUT_S = 5;

export interface OpenDatabase extends AsyncDisposable {
  readonly db: Database;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}

export function openDatabase(options: {
  readonly databaseUrl: string;
  readonly databasePoolSize: number;
  readonly service: string;
}): OpenDatabase {
  const client = postgres(options.databaseUrl, {
    max: options.databasePoolSize,
    connect_timeout: CONNECT_TIMEOUT_S,
    // The driver's own back-off grows to 20 s: an outage of 3 s would be one of 20.
    backoff: () => RECONNECT_DELAY_S,
    onnotice: () => undefined,
    connection: {
      application_name: `waybill-${options.service}`,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
  });
  return {
    db: drizzle(preparing(client)),
    ping: async () => {
      await client`select 1`;
    },
    [Symbol.asyncDispose]: () => client.end({ timeout: CLOSE_TIMEOUT_S }),
  };
}

/**
 * Drizzle sends its statements through `unsafe`, which the driver does not prepare: each one then takes two round trips and is
 * planned anew. All our statements are constant texts with parameters, so they are prepared, in transactions too.
 */
function preparing<S extends postgres.Sql | postgres.TransactionSql>(
  sql: S,
  isOver: () => boolean = () => false,
): S {
  const unsafe = sql.unsafe.bind(sql);
  sql.unsafe = ((query, parameters, options) => {
    if (isOver()) throw new Error("the transaction of this statement is over");
    return unsafe(query, parameters, {
      ...options,
      // Last: drizzle says false, where nobody gave the statement a name.
      prepare: parameters !== undefined && parameters.length > 0,
    });
  }) as typeof sql.unsafe;
  if ("begin" in sql) {
    const begin = sql.begin.bind(sql);
    sql.begin = ((work: (tx: postgres.TransactionSql) => unknown) =>
      begin(async (tx) => {
        let over = false;
        try {
          return await work(preparing(tx, () => over));
        } finally {
          // What a failed part of the work leaves running beside it must not be executed after the ROLLBACK, on its own.
          over = true;
        }
      })) as typeof sql.begin;
  }
  return sql;
}

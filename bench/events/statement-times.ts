// How long each statement of a database's user takes, from its sending to its last row, seen at the driver.
import type postgres from "postgres";
import type { Database } from "../../src/platform/database/open.ts";

export interface StatementTime {
  readonly text: string;
  readonly milliseconds: number;
}

/** From now on every statement outside of transactions is timed, and told when it is answered. */
export function timeStatements(db: Database, onStatement: (time: StatementTime) => void): void {
  const client = (db as Database & { readonly $client: postgres.Sql }).$client;
  const unsafe = client.unsafe.bind(client);
  const timed = ((text, parameters, options) => {
    const query = unsafe(text, parameters, options);
    const began = performance.now();
    // The driver sends a statement when somebody waits for it; the query builder has said by then how it wants the rows.
    queueMicrotask(() => {
      query.then(
        () => onStatement({ text, milliseconds: performance.now() - began }),
        () => undefined, // who sent it hears of it
      );
    });
    return query;
  }) as typeof client.unsafe;
  client.unsafe = timed;
}

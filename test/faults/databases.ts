// The services' databases, looked into past the proxy: a server that was killed is waited for.
import postgres from "postgres";
import { STORES, type Store } from "../../dev/backends/databases.ts";
import { eventually } from "../harness/eventually.ts";

const CONNECTIONS = 2;
const CONNECT_TIMEOUT_S = 2;
const RECONNECT_DELAY_S = 0.1;
const ANSWER_WITHIN_MS = 60_000;

export interface Databases extends AsyncDisposable {
  /** The rows; fails at once when the server is away. Values are given as $1, $2 … */
  ask<Row extends object>(store: Store, text: string, values?: readonly Value[]): Promise<Row[]>;
  /** The rows, as soon as the server answers. */
  mustAsk<Row extends object>(
    store: Store,
    text: string,
    values?: readonly Value[],
  ): Promise<Row[]>;
}

type Value = string | number | readonly string[];

/** `urls` are those of the services; `port` is the server's own. */
export function openDatabases(urls: Readonly<Record<Store, string>>, port: number): Databases {
  const open = (store: Store): postgres.Sql => {
    const url = new URL(urls[store]);
    url.port = String(port);
    return postgres(url.href, {
      max: CONNECTIONS,
      connect_timeout: CONNECT_TIMEOUT_S,
      backoff: () => RECONNECT_DELAY_S,
      onnotice: () => undefined,
    });
  };
  const sqls = new Map(STORES.map((store) => [store, open(store)]));
  const ask: Databases["ask"] = async <Row extends object>(
    store: Store,
    text: string,
    values: readonly Value[] = [],
  ) => {
    const sql = sqls.get(store);
    if (sql === undefined) throw new Error(`there is no database of ${store}`);
    return [...(await sql.unsafe<Row[]>(text, [...values] as never[]))];
  };
  return {
    ask,
    mustAsk: (store, text, values) =>
      eventually(() => ask(store, text, values), { withinMs: ANSWER_WITHIN_MS }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...sqls.values()].map((sql) => sql.end({ timeout: 1 })));
    },
  };
}

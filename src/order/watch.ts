// WatchOrder: the order as it is, and again after each change. One query a tick serves all who watch.
import type { HandlerContext } from "@connectrpc/connect";
import { setTimeout as pause } from "node:timers/promises";
import type { WatchOrderRequest } from "../../gen/waybill/order/v1/order_service_pb.js";
import { customerScope } from "../platform/access/principal.ts";
import type { Database } from "../platform/database/open.ts";
import type { Log } from "../platform/log.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { mustFindOrder, orderAndPayment } from "./answer.ts";
import { isFinal } from "./order.ts";
import { factsOf } from "./news.ts";
import { versionsOf } from "./store.ts";

const TICK_MS = 200;
const HEARTBEAT_MS = 15_000;
/** Streams of one process at the same time. */
const WATCHERS_LIMIT = 2_000;

export interface OrderWatch extends AsyncDisposable {
  /** Resolves when the order has another version than this one, or when so many milliseconds have passed: true, false. */
  changed(orderId: string, version: bigint, o: Waiting): Promise<boolean>;
}

interface Waiting {
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

interface Watcher {
  readonly orderId: string;
  readonly version: bigint;
  readonly wake: (changed: boolean) => void;
}

/** Looks into the database only while somebody watches. */
export function startOrderWatch(db: Database, log: Log): OrderWatch {
  const watchers = new Set<Watcher>();
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const ids = new Set([...watchers].map((watcher) => watcher.orderId));
    const versions = await versionsOf(db, [...ids]);
    for (const { orderId, version, wake } of watchers) {
      if (versions.get(orderId) !== version) wake(true);
    }
  };
  const lookOn = async (): Promise<void> => {
    while (watchers.size > 0 && !stopping.signal.aborted) {
      await look().catch((error: unknown) =>
        log.warn({ error }, "watched orders could not be looked at; tried again"),
      );
      await pause(TICK_MS);
    }
    looking = undefined;
  };

  return {
    async changed(orderId, version, { withinMs, signal }) {
      if (watchers.size >= WATCHERS_LIMIT)
        throw new Refusal(
          "resource_exhausted",
          "too many orders are watched here; try again later",
        );
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const watcher = { orderId, version, wake: resolve };
      const giveUp = () => resolve(false);
      const timer = setTimeout(giveUp, withinMs);
      signal.addEventListener("abort", giveUp, { once: true });
      watchers.add(watcher);
      looking ??= lookOn();
      const result = await promise;
      watchers.delete(watcher);
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      return result;
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      for (const { wake } of watchers) wake(false);
      await looking;
    },
  };
}

export async function* watchOrder(
  parts: { readonly db: Database; readonly watch: OrderWatch },
  { orderId }: WatchOrderRequest,
  context: HandlerContext,
) {
  const scope = customerScope(principalOf(context));
  const { signal } = context;
  for (let seen = -1n; !signal.aborted;) {
    const found = await mustFindOrder(parts.db, orderId, scope);
    const { order } = found;
    yield order.version === seen ? {} : await orderAndPayment(parts.db, found);
    if (isFinal(factsOf(order).status)) return;
    seen = order.version;
    await parts.watch.changed(orderId, seen, { withinMs: HEARTBEAT_MS, signal });
  }
}

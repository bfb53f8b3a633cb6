// Many events of few keys, in transactions that overlap: an order alone has too few of them to show that their order is kept.
import { setTimeout as pause } from "node:timers/promises";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { openDatabase, type Database } from "../../src/platform/database/open.ts";
import { createOutbox, type Outbox } from "../../src/platform/events/outbox.ts";
import { newId } from "../../src/platform/id.ts";
import type { Random } from "./random.ts";
import type { Rig } from "./rig.ts";

const WRITERS = 6;
const KEYS = 12;
const MOST_EVENTS_AT_ONCE = 3;
/** How long a transaction stays open after it published, so that others overtake it. */
const LONGEST_OPEN_MS = 30;

export interface Chatter {
  /** Resolves when the last transaction has ended; how many events were committed. */
  stop(): Promise<number>;
}

/**
 * Publishes about so many events a second into the Order service's own outbox, as the service does, by way of the
 * proxy. They tell of orders that nobody placed, so readers take them and do nothing.
 */
export function startChatter(
  rig: Rig,
  o: { readonly rate: number; readonly random: Random },
): Chatter {
  const opened = openDatabase({
    databaseUrl: rig.stack.stack.postgres.order,
    databasePoolSize: WRITERS,
    service: "chatter",
  });
  const outbox = createOutbox({
    source: "/waybill/chatter",
    namespace: rig.place.namespace,
    traceparent: () => undefined,
    newId,
  });
  const keys = Array.from({ length: KEYS }, newId);
  const restMs = (1000 * WRITERS * MOST_EVENTS_AT_ONCE) / 2 / o.rate;
  let committed = 0;
  let stopped = false;
  const write = async (random: Random): Promise<void> => {
    while (!stopped) {
      const key = random.pick(keys);
      const count = random.between(1, MOST_EVENTS_AT_ONCE);
      const openMs = random.between(0, LONGEST_OPEN_MS);
      const told = publish(opened.db, outbox, { key, count, openMs });
      committed += await told.catch(() => 0); // the database is away: what was not committed was never said
      await pause(random.between(0, 2 * restMs));
    }
  };
  const writing = Array.from({ length: WRITERS }, (_, each) => write(o.random.branch(`${each}`)));
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(writing);
      await opened[Symbol.asyncDispose]();
      return committed;
    },
  };
}

async function publish(
  db: Database,
  outbox: Outbox,
  { key, count, openMs }: { readonly key: string; readonly count: number; readonly openMs: number },
): Promise<number> {
  await db.transaction(async (tx) => {
    for (let each = 0; each < count; each += 1) {
      await outbox.publish(tx, OrderEventSchema, {
        orderId: key,
        customerId: "nobody",
        event: { case: "orderPaid", value: { paymentId: key } },
      });
    }
    await pause(openMs);
  });
  return count;
}

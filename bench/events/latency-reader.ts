// A process that reads the topic of a ground, and knows when each effect was committed. Told its ground by its argument.
import { AsyncLocalStorage } from "node:async_hooks";
import { startConsumer } from "../../src/platform/events/consumer.ts";
import type { EventConsumer } from "../../src/platform/events/ports.ts";
import type { Database } from "../../src/platform/events/schema.ts";
import { effectSubscription } from "./effects.ts";
import { type GroundAddress, openGround } from "./ground.ts";
import { benchLog } from "./log.ts";

/** What it tells the process that started it: an order's ID, and two times of the machine's monotonic clock in milliseconds. */
export type Effect = readonly [orderId: string, received: number, committed: number];

const address = JSON.parse(process.argv[2] ?? "{}") as GroundAddress;
const TELL_EVERY_MS = 100;

/** The same clock in every process of the machine. */
const now = (): number => Number(process.hrtime.bigint()) / 1_000_000;

/** The orders whose effects a transaction holds. */
const inTransaction = new AsyncLocalStorage<string[]>();
/** When the orders that are at work came from the broker. */
const received = new Map<string, number>();
let told: Effect[] = [];

/** The database, but that a commit tells which effects it made visible. */
function telling(db: Database): Database {
  const transaction: Database["transaction"] = async (work) => {
    const orders: string[] = [];
    const result = await inTransaction.run(orders, () => db.transaction(work));
    const time = now();
    for (const order of orders) told.push([order, received.get(order) ?? time, time]);
    return result;
  };
  return Object.assign(Object.create(db) as Database, { transaction });
}

/** The broker's consumer, but that it notes when a record came. */
function noting(consumer: EventConsumer): EventConsumer {
  return {
    run: (o) =>
      consumer.run({
        ...o,
        onBatch(batch, control) {
          const time = now();
          for (const { key } of batch.records)
            received.set(Buffer.from(key ?? []).toString(), time);
          return o.onBatch(batch, control);
        },
      }),
  };
}

const ground = openGround(address);
await startConsumer({
  name: "bench",
  namespace: address.namespace,
  db: telling(ground.db),
  broker: noting(ground.kafka.consumer()),
  subscriptions: [effectSubscription((_, order) => void inTransaction.getStore()?.push(order))],
  classify: () => "transient",
  log: benchLog,
});
setInterval(() => {
  if (told.length > 0) process.send?.(told);
  told = [];
}, TELL_EVERY_MS);
process.on("disconnect", () => process.exit());

// A small service that takes orders and tells of them, in one way or the other, until it is stopped or killed.
import { setTimeout as pause } from "node:timers/promises";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { newId } from "../../src/platform/id.ts";
import { startRelay } from "../../src/platform/events/relay.ts";
import { type GroundAddress, type OpenGround, openGround } from "./ground.ts";
import { saveNewOrder } from "./new-order.ts";
import { plainClient } from "./plain-client.ts";
import { orderCreated, samplePayload } from "./sample.ts";

export type PublishWay = "send after commit" | "outbox and relay";
/** Told every now and then: how long callers waited for their answers, in milliseconds. */
export interface Waited {
  readonly waited: readonly number[];
}

const ORDERS_PER_SECOND = 200;
/** As a server that takes no more requests than it can hold. */
const AT_ONCE_LIMIT = 64;
const TELL_EVERY_MS = 100;
const EMPTY_POLL_MS = 50;
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Publishing extends AsyncDisposable {
  take(): Promise<void>;
}

/** As the documentation of the client library shows it: its defaults, and an error is logged. */
async function sending({ db, topic, address }: OpenGround): Promise<Publishing> {
  const producer = plainClient(address.brokers).producer();
  await producer.connect();
  return {
    async take() {
      const id = newId();
      await db.transaction((tx) => saveNewOrder(tx, id));
      const messages = [{ key: id, value: Buffer.from(samplePayload(id)) }];
      await producer.send({ topic, messages }).catch(() => undefined); // what else: it is committed
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}

async function keeping({ db, kafka, sql, outbox }: OpenGround): Promise<Publishing> {
  const relay = startRelay({ db, producer: kafka.producer(), log: QUIET });
  return {
    async take() {
      const id = newId();
      await db.transaction(async (tx) => {
        await saveNewOrder(tx, id);
        await outbox.publish(tx, OrderEventSchema, orderCreated(id));
      });
      relay.wake();
    },
    async [Symbol.asyncDispose]() {
      while ((await sql`SELECT FROM outbox LIMIT 1`).length > 0) await pause(EMPTY_POLL_MS);
      await relay[Symbol.asyncDispose]();
    },
  };
}

const { address, way } = JSON.parse(process.argv[2] ?? "{}") as {
  readonly address: GroundAddress;
  readonly way: PublishWay;
};
let stopping = false;
process.on("disconnect", () => process.exit());
process.on("message", () => {
  stopping = true;
});

const ground = openGround(address);
const publishing = await (way === "send after commit" ? sending(ground) : keeping(ground));
let waited: number[] = [];
const tell = (): void => {
  if (waited.length > 0) process.send?.({ waited } satisfies Waited);
  waited = [];
};
setInterval(tell, TELL_EVERY_MS);

const running = new Set<Promise<void>>();
const began = performance.now();
for (let number = 0; !stopping; number += 1) {
  const due = began + (number * 1000) / ORDERS_PER_SECOND;
  if (due > performance.now()) await pause(due - performance.now());
  if (running.size >= AT_ONCE_LIMIT) await Promise.race(running);
  const asked = performance.now();
  const taken = publishing.take().then(() => void waited.push(performance.now() - asked));
  running.add(taken);
  void taken.finally(() => running.delete(taken));
}
await Promise.all(running);
await publishing[Symbol.asyncDispose]();
tell();
process.disconnect();

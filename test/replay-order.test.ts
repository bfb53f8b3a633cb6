// The promise: a topic that is read again gives no event twice and no key out of order, wherever the replay is cut off.
import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { OrderEventSchema } from "../gen/waybill/order/v1/order_event_pb.js";
import { startConsumer, type Consumer } from "../src/platform/events/consumer.ts";
import { createMemoryBroker, type MemoryBroker } from "../src/platform/events/memory.ts";
import { replayRanges, type Ranges } from "../src/platform/events/replay-range.ts";
import { replayTopic } from "../src/platform/events/replay.ts";
import type { Outcome, Subscription } from "../src/platform/events/subscription.ts";
import { eventually } from "./harness/eventually.ts";
import { openOwnDatabase, type OwnDatabase } from "./harness/own-database.ts";
import { orderCreated } from "./harness/records.ts";

const TOPIC = "order-events";
const NAME = "replayed";
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

let database: OwnDatabase;
beforeAll(async () => {
  database = await openOwnDatabase(inject("servers"));
});
afterAll(() => database?.[Symbol.asyncDispose]());

let broker: MemoryBroker;
/** The numbers of the events that were handled, in the order in which they were. */
let handled: string[];
/** What the handler does beside noting the event. */
let onEvent: (number: string) => Outcome | Promise<Outcome>;
beforeEach(async () => {
  broker = createMemoryBroker({ topics: { [TOPIC]: 1 } });
  handled = [];
  onEvent = () => ({ outcome: "applied" });
  await database.db.execute(sql`TRUNCATE inbox, held_event, event_attempt`);
});

class AwayError extends Error {}

const failingOn =
  (failing: string, error: Error = new Error("no")): typeof onEvent =>
  (number) => {
    if (number === failing) throw error;
    return { outcome: "applied" };
  };

const subscription: Subscription = {
  schema: OrderEventSchema,
  repeatable: true,
  handle: async (_tx, event) => {
    const { number } = (event as unknown as { event: { value: { number: string } } }).event.value;
    const outcome = await onEvent(number);
    handled.push(number);
    return outcome;
  },
};

const startReading = (): Promise<Consumer> =>
  startConsumer({
    name: NAME,
    namespace: "",
    db: database.db,
    broker: broker.consumer(),
    subscriptions: [subscription],
    classify: (error) => (error instanceof AwayError ? "transient" : "permanent"),
    log: silent,
  });

function append(key: string, number: string): void {
  const headers = new Map(
    Object.entries({ ce_id: v7(), ce_type: "order.created", ce_sequence: "1" }).map(
      ([name, text]): [string, Uint8Array] => [name, Buffer.from(text)],
    ),
  );
  broker.append(TOPIC, {
    key: Buffer.from(key),
    value: orderCreated(key, "a@example.com", number),
    headers,
  });
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => `n${at + 1}`);

const ranges = (wanted?: Ranges): Promise<Ranges> =>
  replayRanges({
    log: broker.log(),
    group: NAME,
    topic: TOPIC,
    retentionHours: 168,
    since: undefined,
    until: undefined,
    wanted,
  });

async function replay(
  consumer: Consumer,
  o: { apply?: boolean; repeat?: boolean; wanted?: Ranges; signal?: AbortSignal },
) {
  return await replayTopic({
    consumer: consumer.parts,
    log: broker.log(),
    topic: TOPIC,
    subscription,
    ranges: await ranges(o.wanted),
    key: undefined,
    apply: o.apply ?? false,
    repeat: o.repeat ?? false,
    signal: o.signal ?? new AbortController().signal,
  });
}

/** Reads all events, and then loses what it took. */
async function readAndForget(consumer: Consumer, count: number): Promise<void> {
  await eventually(async () => {
    expect(handled).toHaveLength(count);
    expect((await ranges()).get(0)?.end).toBe(BigInt(count));
  });
  handled.length = 0;
  await consumer.parts.db.execute(sql`DELETE FROM inbox`);
}

test("what the consumer has not come to is left to it, however long it takes", async () => {
  const key = v7();
  const held = Promise.withResolvers<void>();
  onEvent = async (number) => {
    if (number === "n2") await held.promise;
    return { outcome: "applied" };
  };
  await using consumer = await startReading();
  append(key, "n1");
  await eventually(async () => expect((await ranges()).get(0)).toEqual({ from: 0n, end: 1n }));
  append(key, "n2");
  append(key, "n3");

  const { counts, next } = await replay(consumer, { apply: true });

  expect(counts).toMatchObject({ read: 1, known: 1, applied: 0 });
  expect(next.size).toBe(0);
  held.resolve();
  await eventually(() => expect(handled).toEqual(["n1", "n2", "n3"]));
});

test("a replay whose time is over says where to go on, and the next one does", async () => {
  const key = v7();
  const all = numbers(1_200);
  for (const number of all) append(key, number);
  await using consumer = await startReading();
  await readAndForget(consumer, all.length);
  const time = new AbortController();
  onEvent = (number) => {
    if (number === "n300") time.abort();
    return { outcome: "applied" };
  };

  const first = await replay(consumer, { apply: true, signal: time.signal });
  const [behind] = first.next.values();
  expect(behind?.from).toBe(BigInt(first.counts.read));
  expect(first.counts.read).toBeGreaterThanOrEqual(300);
  expect(first.counts.read).toBeLessThan(all.length);
  const second = await replay(consumer, { apply: true, wanted: first.next });

  expect(second.next.size).toBe(0);
  expect(first.counts.applied + second.counts.applied).toBe(all.length);
  expect(handled).toEqual(all);
});

test("a replay that meets a passing failure keeps what is done, and the next one does the rest", async () => {
  const key = v7();
  const all = numbers(700);
  for (const number of all) append(key, number);
  await using consumer = await startReading();
  await readAndForget(consumer, all.length);
  onEvent = failingOn("n600", new AwayError("the neighbour is away"));

  const first = await replay(consumer, { apply: true });
  expect(first.next.get(0)).toEqual({ from: 500n, end: 700n });
  await expect(replay(consumer, { apply: true, wanted: first.next })).rejects.toThrow(AwayError);
  onEvent = () => ({ outcome: "applied" });
  const last = await replay(consumer, { apply: true, wanted: first.next });

  expect(last.next.size).toBe(0);
  expect([...new Set(handled)]).toEqual(all);
  const { counts } = await replay(consumer, {});
  expect(counts).toMatchObject({ read: 700, known: 700, applied: 0 });
});

test("what fails in a replay is dead, and the later ones of its key are held behind it", async () => {
  const [bad, good] = [v7(), v7()];
  append(bad, "n1");
  append(good, "n2");
  append(bad, "n3");
  await using consumer = await startReading();
  await readAndForget(consumer, 3);
  onEvent = failingOn("n1");

  const { counts } = await replay(consumer, { apply: true });

  expect(counts).toMatchObject({ read: 3, applied: 1, dead: 1, held: 1, known: 0 });
  expect(handled).toEqual(["n2"]);
  const look = await replay(consumer, {});
  expect(look.counts).toMatchObject({ read: 3, known: 3 });
});

test("a look says what would come of new events without asking their handler", async () => {
  const [held, free, torn] = [v7(), v7(), v7()];
  onEvent = failingOn("n1");
  await using consumer = await startReading();
  append(held, "n1");
  append(free, "n2");
  append(held, "n3");
  append(free, "n4");
  broker.append(TOPIC, { key: Buffer.from(torn), value: Buffer.from("?"), headers: new Map() });
  await eventually(async () => expect((await ranges()).get(0)?.end).toBe(5n));
  handled.length = 0;
  await database.db.execute(sql`DELETE FROM held_event WHERE key = ${torn}`);
  await database.db.execute(sql`
    DELETE FROM inbox AS i WHERE NOT EXISTS (SELECT 1 FROM held_event AS h WHERE h.event_id = i.event_id)`);

  const { counts } = await replay(consumer, {});

  expect(counts).toMatchObject({ read: 5, known: 2, applied: 2, held: 0, dead: 1 });
  expect(handled).toEqual([]);
});

test("by force, a repeatable handler sees again what it applied, and nothing that is held", async () => {
  const [dead, live] = [v7(), v7()];
  append(dead, "n1");
  append(live, "n2");
  append(live, "n3");
  onEvent = failingOn("n1");
  await using consumer = await startReading();
  await eventually(async () => {
    expect(handled).toHaveLength(2);
    expect((await ranges()).get(0)?.end).toBe(3n);
  });
  handled.length = 0;
  onEvent = failingOn("n3");

  const look = await replay(consumer, { repeat: true });
  expect(look.counts).toMatchObject({ read: 3, known: 1, applied: 2, forced: 2 });
  expect(handled).toEqual([]);
  const { counts } = await replay(consumer, { apply: true, repeat: true });

  expect(counts).toMatchObject({ read: 3, known: 1, applied: 1, dead: 1, forced: 2 });
  expect(handled).toEqual(["n2"]);
  // Its key goes on: it was applied once.
  append(live, "n4");
  await eventually(() => expect(handled).toEqual(["n2", "n4"]));
});

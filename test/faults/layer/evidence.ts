// Gathers what the judge is shown: when a world has come to rest, and on the way what offsets were committed.
import { randomBytes } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import kafkajs, { type Admin } from "kafkajs";
import { OrderEventSchema, type OrderEvent } from "../../../gen/waybill/order/v1/order_event_pb.js";
import { namespaced } from "../../../src/platform/events/stream.ts";
import { eventually } from "../../harness/eventually.ts";
import type { Effect, Happened, Sent } from "./judge.ts";
import type { World } from "./world.ts";

export interface Quiet {
  readonly consumers: readonly string[];
  /** So many facts are to be there before it can be quiet. */
  readonly happened: number;
  readonly withinMs: number;
  /** Held events that are to stay: those of poison. */
  readonly held?: number;
  /** Rows of the outbox do not count: nobody is there to send them. */
  readonly outboxMayWait?: boolean;
}

/** A client with some patience: brokers and groups are moving while it looks. */
const patient = (brokers: readonly string[]) =>
  new kafkajs.Kafka({
    clientId: "waybill-faults",
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 300, retries: 5 },
  });

export async function withAdmin<T>(
  brokers: readonly string[],
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = patient(brokers).admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Resolves with the milliseconds it took. Rejects with what is still in motion. */
export async function comesToRest(world: World, o: Quiet): Promise<number> {
  const began = performance.now();
  await withAdmin(world.brokers, (admin) =>
    eventually(
      async () => {
        const still = await inMotion(world, admin, o);
        if (still.length > 0) throw new Error(`Still in motion: ${still.join("; ")}.`);
      },
      { withinMs: o.withinMs },
    ),
  );
  return performance.now() - began;
}

async function inMotion(world: World, admin: Admin, o: Quiet): Promise<string[]> {
  const [rows] = await world.sql<{ happened: number; waiting: number; held: number }[]>`
    SELECT (SELECT count(*)::int FROM happened) AS happened, (SELECT count(*)::int FROM outbox) AS waiting,
           (SELECT count(*)::int FROM held_event) AS held`;
  const still: string[] = [];
  const { happened = 0, waiting = 0, held = 0 } = rows ?? {};
  if (happened < o.happened) still.push(`${happened} of ${o.happened} facts`);
  if (waiting > 0 && o.outboxMayWait !== true) still.push(`${waiting} rows in the outbox`);
  if (held !== (o.held ?? 0)) still.push(`${held} events held`);
  if (still.length > 0) return still;
  const ends = await admin.fetchTopicOffsets(world.topic);
  for (const consumer of o.consumers) {
    const groupId = namespaced(world.namespace, consumer);
    const [group] = await admin.fetchOffsets({ groupId, topics: [world.topic] });
    const at = new Map(group?.partitions.map(({ partition, offset }) => [partition, offset]));
    const behind = ends.filter(({ partition, high }) => {
      return high !== "0" && (at.get(partition) ?? "-1") !== high;
    });
    if (behind.length > 0) still.push(`${consumer} is behind in ${behind.length} partitions`);
  }
  return still;
}

/** Resolves when so many facts are written down. */
export async function untilHappened(world: World, count: number, withinMs: number): Promise<void> {
  await eventually(
    async () => {
      const [row] = await world.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM happened`;
      if ((row?.n ?? 0) < count) throw new Error(`${row?.n ?? 0} of ${count} facts happened`);
    },
    { withinMs },
  );
}

export async function readHappened(world: World): Promise<Happened[]> {
  return [...(await world.sql<Happened[]>`SELECT key, nonce FROM happened ORDER BY id`)];
}

export async function readEffects(world: World): Promise<Effect[]> {
  return [
    ...(await world.sql<Effect[]>`
      SELECT consumer, key, nonce, event_id AS "eventId" FROM effect ORDER BY id`),
  ];
}

/** Every record that the topic holds now, in the order of each partition. */
export async function readTopic(world: World): Promise<Sent[]> {
  const sent: Sent[] = [];
  await using follower = await followTopic(world, (one) => sent.push(one));
  await eventually(() => follower.isAtEnd());
  return sent;
}

export interface Follower extends AsyncDisposable {
  /** Throws until everything was read that the topic held when following it began. */
  isAtEnd(): void;
}

export async function followTopic(world: World, onSent: (one: Sent) => void): Promise<Follower> {
  const ends = await withAdmin(world.brokers, (admin) => admin.fetchTopicOffsets(world.topic));
  const count = ends.reduce((sum, { high }) => sum + Number(high), 0);
  let read = 0;
  const groupId = namespaced(world.namespace, `judge-${randomBytes(4).toString("hex")}`);
  const consumer = patient(world.brokers).consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [world.topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ partition, message: { key, value, headers } }) => {
      read += 1;
      onSent({
        key: String(key),
        nonce: nonceOf(value),
        eventId: String(headers?.["ce_id"]),
        seq: Number(headers?.["ce_sequence"]),
        partition,
      });
      return Promise.resolve();
    },
  });
  return {
    isAtEnd() {
      if (read < count) throw new Error(`${read} of ${count} records were read`);
    },
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

/** How much is put behind a message to make it none. */
const SPOILT_BYTES = 2;

/** The bytes of poison are no message, but there is one in front of them. */
function nonceOf(value: Buffer | null): string {
  if (value === null || value[0] === 0) return ""; // no message at all, only bytes
  const { event } = readMessage(value);
  return event.case === "orderPaid" ? event.value.paymentId : "";
}

function readMessage(value: Buffer): OrderEvent {
  try {
    return fromBinary(OrderEventSchema, value);
  } catch {
    return fromBinary(OrderEventSchema, value.subarray(0, -SPOILT_BYTES)); // without what was put behind it
  }
}

// Old readers beside a newer writer, while the readers are restarted one after the other: they go on, and keep what they do not know.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { fromBinary, fromJson, toBinary, toJsonString, type JsonValue } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { v7 } from "uuid";
import { clientOf } from "../../../dev/backends/kafka-ready.ts";
import { newerContract } from "../../../dev/contract/newer.ts";
import { streamOf } from "../../../src/platform/events/stream.ts";
import { eventually } from "../../harness/eventually.ts";
import { comesToRest, readEffects, readHappened, readTopic } from "./evidence.ts";
import { judge, type Finding } from "./judge.ts";
import { openLives } from "./lives.ts";
import { openWorld, type LayerServers, type World } from "./world.ts";

const CONSUMER = "ledger";
const KEYS = 30;
const NEWER_EVERY_MS = 100;
const STOP_WITHIN_MS = 10_000;
const REST_WITHIN_MS = 60_000;
const newer = newerContract();

export interface Mixing {
  readonly seconds: number;
  readonly perSecond: number;
  readonly seed: number;
}

export interface Mixed {
  readonly findings: readonly Finding[];
  readonly happened: number;
  /** Events of the newer contract. */
  readonly newer: number;
  readonly restMs: number;
}

export async function mixVersions(servers: LayerServers, o: Mixing): Promise<Mixed> {
  await using world = await openWorld(servers);
  await using lives = openLives(world.folder);
  const reader = [world.task({ members: [{ service: CONSUMER, consumes: true }], seed: o.seed })];
  for (const name of ["reader-1", "reader-2"]) lives.live(name, reader);
  const keys = Array.from({ length: KEYS }, () => randomUUID());
  const total = o.seconds * o.perSecond;
  const writing = { keys, total, perSecond: o.perSecond, writers: 4, rollBack: 0, delayMs: 10 };
  const members = [{ service: "writer", consumes: false }];
  lives.live("writer", [world.task({ members, writing, seed: o.seed })]);
  const rolling = (async () => {
    for (const name of ["reader-1", "reader-2"]) {
      await pause((o.seconds * 1000) / 3);
      await lives.end(name, STOP_WITHIN_MS);
      lives.live(`${name}-again`, reader);
    }
  })();
  const written = await writeNewer(world, o.seconds * 1000);
  await rolling;
  const consumers = [CONSUMER];
  const restMs = await comesToRest(world, { consumers, happened: total, withinMs: REST_WITHIN_MS });
  const findings = await keptAll(world, written);
  const ids = new Set(written.map(({ eventId }) => eventId));
  const isOld = ({ eventId }: { readonly eventId: string }) => !ids.has(eventId);
  const happened = await readHappened(world);
  const sent = (await readTopic(world)).filter(isOld);
  const effects = (await readEffects(world)).filter(isOld);
  findings.push(...judge({ happened, sent, effects, consumers, againAllowed: Infinity }));
  return { findings, happened: happened.length, newer: written.length, restMs };
}

interface Newer {
  readonly schema: DescMessage;
  readonly eventId: string;
  readonly key: string;
  readonly type: string;
  readonly value: Uint8Array;
  /** Whether today's readers have a use for it. */
  readonly isApplied: boolean;
}

/** One with a field more, one with a status more, one that is a case more. */
function newerEvents(): Newer[] {
  const event = (schema: DescMessage, type: string, json: Readonly<Record<string, JsonValue>>) => {
    const key = randomUUID();
    const about = { orderId: key, customerId: "faults", region: "here" };
    const value = toBinary(schema, fromJson(schema, { ...about, ...json }));
    return { schema, eventId: v7(), key, type, value, isApplied: type !== "order.shipped" };
  };
  const status = { status: "PAYMENT_STATUS_DISPUTED", attemptNumber: 1, region: "there" };
  return [
    event(newer.orderEvent, "order.paid", { orderPaid: { paymentId: v7() } }),
    event(newer.orderEvent, "order.shipped", { orderShipped: { carrier: "by foot" } }),
    event(newer.paymentStatusEvent, "payment.status-updated", {
      paymentId: v7(),
      paymentStatusUpdated: status,
    }),
  ];
}

async function writeNewer(world: World, forMs: number): Promise<Newer[]> {
  const producer = clientOf(world.brokers).producer({ retry: { retries: 5 } });
  const written: Newer[] = [];
  await producer.connect();
  try {
    for (const end = performance.now() + forMs; performance.now() < end;) {
      for (const one of newerEvents()) {
        const headers = {
          ce_id: one.eventId,
          ce_type: one.type,
          ce_source: "/newer",
          ce_sequence: "1",
        };
        const { topic } = streamOf(one.schema, world.namespace);
        const message = { key: one.key, value: Buffer.from(one.value), headers };
        await producer.send({ topic, acks: -1, messages: [message] });
        written.push(one);
      }
      await pause(NEWER_EVERY_MS);
    }
  } finally {
    await producer.disconnect();
  }
  return written;
}

/** Each was taken, none is held, and what was applied could be passed on as it came. */
async function keptAll(world: World, written: readonly Newer[]): Promise<Finding[]> {
  const ids = written.map(({ eventId }) => eventId);
  await eventually(async () => {
    const [row] = await world.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM inbox WHERE consumer = ${CONSUMER} AND event_id = ANY (${ids}::uuid[])`;
    if (row?.n !== ids.length)
      throw new Error(`${row?.n} of ${ids.length} newer events were taken`);
  });
  const held = await world.sql<
    { type: string; reason: string }[]
  >`SELECT type, reason FROM held_event`;
  const rows = await world.sql<
    { event_id: string; echo: Uint8Array }[]
  >`SELECT event_id, echo FROM effect`;
  const echoes = new Map(rows.map((row) => [row.event_id, row.echo]));
  const isKept = (one: Newer): boolean => {
    const echo = echoes.get(one.eventId);
    if (echo === undefined || !one.isApplied) return (echo !== undefined) === one.isApplied;
    return textOf(one.schema, echo) === textOf(one.schema, one.value);
  };
  return [
    ...held.map(({ type, reason }) => ({
      wrong: "not-kept" as const,
      what: `${type} is held: ${reason}`,
    })),
    ...written
      .filter((one) => !isKept(one))
      .map(({ type, eventId }) => ({ wrong: "not-kept" as const, what: `${type} ${eventId}` })),
  ];
}

const textOf = (schema: DescMessage, bytes: Uint8Array): string =>
  toJsonString(schema, fromBinary(schema, bytes));

// A process of the proof: the event layer as a service has it, with handlers that only write down what they were given.
import { setTimeout as pause } from "node:timers/promises";
import { toBinary } from "@bufbuild/protobuf";
import { sql } from "drizzle-orm";
import { OrderEventSchema, type OrderEvent } from "../../../gen/waybill/order/v1/order_event_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentStatusEvent,
} from "../../../gen/waybill/payment/v1/payment_status_event_pb.js";
import type { Backbone, openBackbone } from "../../../src/platform/backbone.ts";
import type {
  EventMeta,
  Outcome,
  Subscription,
} from "../../../src/platform/events/subscription.ts";
import type { Transaction } from "../../../src/platform/events/schema.ts";
import { createLog } from "../../../src/platform/log.ts";
import { runService, type RunningService } from "../../../src/platform/run.ts";
import type { ServiceSettings } from "../../../src/platform/settings.ts";
import { randomOf, type Random } from "../random.ts";
import { writeHistory } from "./history.ts";
import type { HandlerWeather, Task } from "./orders.ts";

const MIGRATIONS = new URL("../../../migrations/notification/", import.meta.url);
const STREAMS = [OrderEventSchema, PaymentStatusEventSchema];
/** More than the lanes of a consumer. */
const POOL_OF_CONSUMER = 5;
const POOL_OF_RELAY = 2;
const CLEAR: HandlerWeather = { awayEvery: 0, awayTries: 0, notYet: 0, delayMs: 0 };

const log = createLog("layer", "info");

async function startAll(tasks: readonly Task[]): Promise<RunningService> {
  await using parts = new AsyncDisposableStack();
  const started = await Promise.all(tasks.map((task) => start(task).then((one) => parts.use(one))));
  const running = parts.move();
  return {
    url: `${tasks.length} tasks`,
    failed: Promise.race(started.map(({ failed }) => failed)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface Running extends AsyncDisposable {
  readonly failed: Promise<never>;
}

async function start(o: Task): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const random = randomOf(o.seed);
  const open = await eventLayer(o.variant);
  const backbones: Backbone[] = [];
  for (const { service, consumes } of o.members) {
    const options = { migrations: MIGRATIONS, streams: STREAMS };
    const pool = consumes ? POOL_OF_CONSUMER : POOL_OF_RELAY + (o.writing?.writers ?? 0);
    const backbone = parts.use(await open(settings(o, service, pool), log, options));
    backbones.push(backbone);
    if (consumes) parts.use(await backbone.consume(effects(service, o.weather ?? CLEAR, random)));
  }
  const first = backbones[0];
  if (o.writing !== undefined && first !== undefined) {
    const stopping = new AbortController();
    const { signal } = stopping;
    const writer = { ...first, random: () => random.fraction(), signal };
    const writing = writeHistory(writer, o.writing);
    parts.defer(async () => {
      stopping.abort();
      await writing;
    });
  }
  const running = parts.move();
  return {
    failed: Promise.race(backbones.map(({ failed }) => failed)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The copy of the event layer with what is planted into this variant. */
async function eventLayer(variant: string): Promise<typeof openBackbone> {
  const query = variant === "" ? "" : `?variant=${variant}`;
  const module = (await import(`../../../src/platform/backbone.ts${query}`)) as {
    openBackbone: typeof openBackbone;
  };
  return module.openBackbone;
}

const settings = (o: Task, service: string, pool: number): ServiceSettings => ({
  service,
  namespace: o.namespace,
  host: "127.0.0.1",
  port: 0,
  logLevel: "info",
  databaseUrl: o.databaseUrl,
  databasePoolSize: pool,
  kafkaBrokers: o.brokers,
  kafkaReplication: 1,
  kafkaMinInsyncReplicas: 1,
  inboxRetentionHours: undefined,
  // It answers nobody and calls nobody.
  identity: { userKeys: "", userIssuer: "", userAudience: "", serviceKeys: "" },
  servicePrivateKey: "",
});

/** The effect is a row without any key that would refuse a second one: nothing but the event layer keeps it single. */
function effects(service: string, weather: HandlerWeather, random: Random): Subscription[] {
  const isRough = roughness(weather, random);
  const orders = async (tx: Transaction, event: OrderEvent, meta: EventMeta): Promise<Outcome> => {
    const nonce = event.event.case === "orderPaid" ? event.event.value.paymentId : "";
    if (weather.delayMs > 0) await pause(random.fraction() * weather.delayMs);
    if (weather.bugs === true) meetBug(nonce);
    if (isRough(meta.eventId)) return { outcome: "not_yet", reason: "weather" };
    await write(tx, service, meta, { nonce, echo: toBinary(OrderEventSchema, event) });
    return { outcome: "applied" };
  };
  const payments = async (
    tx: Transaction,
    event: PaymentStatusEvent,
    meta: EventMeta,
  ): Promise<Outcome> => {
    const echo = toBinary(PaymentStatusEventSchema, event);
    await write(tx, service, meta, { nonce: event.paymentId, echo });
    return { outcome: "applied" };
  };
  return [
    { schema: OrderEventSchema, handle: orders },
    { schema: PaymentStatusEventSchema, handle: payments },
  ];
}

/** The echo is what the event looks like when it is passed on. */
async function write(
  tx: Transaction,
  service: string,
  meta: EventMeta,
  { nonce, echo }: { nonce: string; echo: Uint8Array },
): Promise<void> {
  await tx.execute(sql`
    INSERT INTO effect (consumer, event_id, key, seq, nonce, echo)
    VALUES (${service}, ${meta.eventId}, ${meta.key}, ${meta.sequence}, ${nonce}, ${echo}::bytea)`);
}

/** What a bug does in a handler: JavaScript has nothing else to offer at the first, nor the process at the second. */
function meetBug(nonce: string): void {
  if (nonce.startsWith("typeerror")) throw new TypeError("a bug reads a property of undefined");
  if (nonce.startsWith("abort")) process.abort();
}

/** True: the event finds no ground yet. Throws while "the database is away". */
function roughness(weather: HandlerWeather, random: Random): (eventId: string) => boolean {
  const turnedAway = new Set<string>();
  let handled = 0;
  let away = 0;
  return (eventId) => {
    if (turnedAway.has(eventId)) return false;
    handled += 1;
    if (weather.awayEvery > 0 && handled % weather.awayEvery === 0) away = weather.awayTries;
    if (away > 0) {
      away -= 1;
      // As the driver says it: every copy of the event layer knows the code.
      throw Object.assign(new Error("weather: the database is away"), { code: "ECONNREFUSED" });
    }
    if (random.fraction() >= weather.notYet) return false;
    turnedAway.add(eventId);
    return true;
  };
}

const tasks = JSON.parse(process.argv[2] ?? "[]") as Task[];
await runService(log, () => startAll(tasks));

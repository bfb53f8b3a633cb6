// A process of the proof: the event layer as a service has it, with handlers that only write down what they were given.
import { setTimeout as pause } from "node:timers/promises";
import { sql } from "drizzle-orm";
import {
  OrderEventSchema,
  type OrderEvent,
} from "../../../gen/waybill/order/v1/order_event_pb.js";
import { openBackbone, type Backbone } from "../../../src/platform/backbone.ts";
import type { EventMeta, Outcome, Subscription } from "../../../src/platform/events/subscription.ts";
import type { Transaction } from "../../../src/platform/events/schema.ts";
import { createLog } from "../../../src/platform/log.ts";
import { runService, type RunningService } from "../../../src/platform/run.ts";
import type { ServiceSettings } from "../../../src/platform/settings.ts";
import { TransientError } from "../../../src/platform/transient.ts";
import { randomOf, type Random } from "../random.ts";
import { writeHistory } from "./history.ts";
import type { HandlerWeather, LayerOrders } from "./orders.ts";

const MIGRATIONS = new URL("../../../migrations/notification/", import.meta.url);
const POOL = 8;
const CLEAR: HandlerWeather = { awayEvery: 0, awayMs: 0, notYet: 0, delayMs: 0 };

const log = createLog("layer", "info");

async function start(o: LayerOrders): Promise<RunningService> {
  await using parts = new AsyncDisposableStack();
  const random = randomOf(o.seed);
  const backbones: Backbone[] = [];
  for (const { service, consumes } of o.members) {
    const backbone = parts.use(
      await openBackbone(settings(o, service), log, {
        migrations: MIGRATIONS,
        streams: [OrderEventSchema],
      }),
    );
    backbones.push(backbone);
    if (consumes) parts.use(await backbone.consume([effects(service, o.weather ?? CLEAR, random)]));
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
    url: "",
    failed: Promise.race(backbones.map(({ failed }) => failed)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const settings = (o: LayerOrders, service: string): ServiceSettings => ({
  service,
  namespace: o.namespace,
  host: "127.0.0.1",
  port: 0,
  logLevel: "info",
  databaseUrl: o.databaseUrl,
  databasePoolSize: POOL,
  kafkaBrokers: o.brokers,
  kafkaReplication: 1,
  kafkaMinInsyncReplicas: 1,
  // It answers nobody and calls nobody.
  identity: { userKeys: "", userIssuer: "", userAudience: "", serviceKeys: "" },
  servicePrivateKey: "",
});

/** The effect is a row without any key that would refuse a second one: nothing but the event layer keeps it single. */
function effects(service: string, weather: HandlerWeather, random: Random): Subscription {
  const isRough = roughness(weather, random);
  const handle = async (tx: Transaction, event: OrderEvent, meta: EventMeta): Promise<Outcome> => {
    if (weather.delayMs > 0) await pause(random.fraction() * weather.delayMs);
    if (isRough(meta.eventId)) return { outcome: "not_yet", reason: "weather" };
    const nonce = event.event.case === "orderPaid" ? event.event.value.paymentId : "";
    await tx.execute(sql`
      INSERT INTO effect (consumer, event_id, key, seq, nonce)
      VALUES (${service}, ${meta.eventId}, ${meta.key}, ${meta.sequence}, ${nonce})`);
    return { outcome: "applied" };
  };
  return { schema: OrderEventSchema, handle };
}

/** True: the event finds no ground yet. Throws while "the database is away". */
function roughness(weather: HandlerWeather, random: Random): (eventId: string) => boolean {
  const turnedAway = new Set<string>();
  let handled = 0;
  let backAt = 0;
  return (eventId) => {
    if (turnedAway.has(eventId)) return false;
    handled += 1;
    if (weather.awayEvery > 0 && handled % weather.awayEvery === 0)
      backAt = performance.now() + weather.awayMs;
    if (performance.now() < backAt) throw new TransientError("weather: the database is away");
    if (random.fraction() >= weather.notYet) return false;
    turnedAway.add(eventId);
    return true;
  };
}

const orders = JSON.parse(process.argv[2] ?? "{}") as LayerOrders;
await runService(log, () => start(orders));

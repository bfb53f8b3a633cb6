// How fast a consumer works through what it finds in its topic, beside the client library that only reads it.
import type { Say } from "../../dev/backends/problem.ts";
import type { EventProducer } from "../../src/platform/events/ports.ts";
import { startConsumer } from "../../src/platform/events/consumer.ts";
import { startRelay } from "../../src/platform/events/relay.ts";
import type { Place } from "../place.ts";
import type { ProfileSummary } from "../profile.ts";
import { fillOutbox } from "./backlog.ts";
import { effectSubscription, makeEffects } from "./effects.ts";
import { type OpenGround, makeGround } from "./ground.ts";
import { benchLog } from "./log.ts";
import { type Rate, startMeter } from "./meter.ts";
import { measureReadLimit } from "./read-limit.ts";
import { profiled } from "./self-profile.ts";

export interface ConsumerResult {
  /** The client library alone. */
  readonly broker: Rate;
  /** Inbox, one row of effect for each event, offsets. */
  readonly consumer: Rate;
  readonly profile: ProfileSummary | undefined;
}

export interface ConsumerSizes {
  readonly consumedEvents: number;
  /** The folder for the raw CPU profile; without it none is taken. */
  readonly profiles: string | undefined;
}

export async function measureConsumer(
  place: Place,
  { consumedEvents, profiles }: ConsumerSizes,
  say: Say,
): Promise<ConsumerResult> {
  await using ground = await makeGround(place, "consumer");
  await makeEffects(ground);
  say(`consumer: ${consumedEvents} events are put on the topic`);
  await fillOutbox(ground, consumedEvents);
  await sendAll(ground, consumedEvents);
  say("consumer: read by the client library alone");
  const broker = await measureReadLimit(place, ground, consumedEvents);
  say("consumer: applied");
  const { result, profile } = await profiled("consumer", profiles, () =>
    applyAll(place, ground, consumedEvents),
  );
  return { broker, consumer: result, profile };
}

async function sendAll({ db, kafka }: OpenGround, rows: number): Promise<void> {
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const broker = kafka.producer();
  let sent = 0;
  const producer: EventProducer = {
    async send(records, o) {
      await broker.send(records, o);
      sent += records.length;
      if (sent >= rows) resolve();
    },
  };
  await using _relay = startRelay({ db, producer, log: benchLog });
  await all;
}

/** The clock begins with the first effect: joining the group is not counted. */
async function applyAll(place: Place, { db, kafka, address }: OpenGround, events: number) {
  const { promise: all, resolve } = Promise.withResolvers<void>();
  let rate: ReturnType<typeof startMeter> | undefined;
  let applied = 0;
  await using _consumer = await startConsumer({
    name: "bench",
    namespace: address.namespace,
    db,
    broker: kafka.consumer(),
    subscriptions: [
      effectSubscription(() => {
        rate ??= startMeter(place);
        applied += 1;
      }),
    ],
    classify: () => "transient",
    onCommit: () => void (applied >= events && resolve()),
    log: benchLog,
  });
  await all;
  return (rate ?? startMeter(place))(events);
}

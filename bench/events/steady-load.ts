// Transactions that publish at a steady rate, by SQL: what is measured beside them is the relay, not the publisher.
import { setTimeout as pause } from "node:timers/promises";
import type { OpenGround } from "./ground.ts";
import { samplePayload } from "./sample.ts";

/** Events that share a transaction. */
const PER_TRANSACTION = 15;
const SHARDS = 16;

export interface SteadyLoad {
  /** Events that were committed. */
  published(): number;
  stop(): Promise<void>;
}

/** Every event is the first of its key. `wake` is called after each commit. */
export function startSteadyLoad(
  ground: OpenGround,
  eventsPerSecond: number,
  wake: () => void,
): SteadyLoad {
  let stopped = false;
  let published = 0;
  const publish = publisher(ground);
  const run = async (): Promise<void> => {
    const began = performance.now();
    while (!stopped) {
      const due = began + (published * 1000) / eventsPerSecond;
      const ahead = due - performance.now();
      if (ahead > 0) await pause(ahead);
      await publish();
      published += PER_TRANSACTION;
      wake();
    }
  };
  const running = run();
  running.catch(() => undefined); // `stop` tells of it
  return {
    published: () => published,
    stop: () => {
      stopped = true;
      return running;
    },
  };
}

function publisher({ sql, topic }: OpenGround): () => Promise<unknown> {
  const payload = Buffer.from(samplePayload("00000000-0000-4000-8000-000000000042"));
  const headers = JSON.stringify({
    "content-type": "application/protobuf",
    ce_specversion: "1.0",
    ce_source: "/waybill/order",
    ce_time: "2026-01-01T00:00:00.000Z",
    ce_dataschema: "waybill.order.v1.OrderEvent",
    traceparent: `00-${"a1".repeat(16)}-${"b2".repeat(8)}-01`,
  });
  return () => sql`
    WITH bumped AS (
      INSERT INTO event_sequence (topic, key, last)
      SELECT ${topic}, gen_random_uuid()::text, 1 FROM generate_series(1, ${PER_TRANSACTION}::int)
      RETURNING key, last
    )
    INSERT INTO outbox (event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
    SELECT gen_random_uuid(), ${topic}, 'order', key, 'order.created', last,
           (random() * ${SHARDS - 1}::int)::smallint, ${payload}, ${headers}::text::jsonb
    FROM bumped`;
}

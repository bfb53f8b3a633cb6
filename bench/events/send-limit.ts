// How many records a second the broker takes from the client library alone: no relay can be faster.
import { plainClient } from "./plain-client.ts";
import type { Place } from "../place.ts";
import type { OpenGround } from "./ground.ts";
import { type Rate, startMeter } from "./meter.ts";
import { samplePayload } from "./sample.ts";

/** As the relay sends them. */
const BATCH_RECORDS = 500;
const WARM_UP_RECORDS = 20_000;
const ALL_IN_SYNC_REPLICAS = -1;

/** The same batch again and again, one after the other, with the headers and payloads of the relay's. */
export async function measureSendLimit(
  place: Place,
  ground: OpenGround,
  records: number,
): Promise<Rate> {
  const producer = plainClient(ground.address.brokers).producer({ maxInFlightRequests: 1 });
  const { topic } = ground;
  const messages = Array.from({ length: BATCH_RECORDS }, (_, number) => recordOf(number));
  const send = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += BATCH_RECORDS) {
      await producer.sendBatch({
        acks: ALL_IN_SYNC_REPLICAS,
        topicMessages: [{ topic, messages }],
      });
    }
  };
  await producer.connect();
  try {
    await send(WARM_UP_RECORDS);
    const rate = startMeter(place);
    await send(records);
    return rate(records);
  } finally {
    await producer.disconnect();
  }
}

function recordOf(number: number) {
  const key = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  return {
    key: Buffer.from(key),
    value: Buffer.from(samplePayload(key)),
    headers: {
      "content-type": Buffer.from("application/protobuf"),
      ce_specversion: Buffer.from("1.0"),
      ce_id: Buffer.from(key),
      ce_type: Buffer.from("order.created"),
      ce_sequence: Buffer.from("1"),
      ce_source: Buffer.from("/waybill/order"),
      ce_time: Buffer.from("2026-01-01T00:00:00.000Z"),
      ce_dataschema: Buffer.from("waybill.order.v1.OrderEvent"),
      traceparent: Buffer.from(`00-${"a1".repeat(16)}-${"b2".repeat(8)}-01`),
    },
  };
}

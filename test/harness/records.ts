// Puts records onto topics past the services, as the service that owns the topic would, or as none should.
import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { v7 } from "uuid";
import { clientOf } from "../../dev/backends/kafka-ready.ts";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { streamOf } from "../../src/platform/events/stream.ts";
import type { Place } from "./place.ts";
import { TEST_SOURCE } from "./topics.ts";

export interface RecordToPut {
  readonly key: string;
  readonly sequence: number;
  readonly type: string;
  readonly value: Uint8Array;
}

export interface RecordPutter extends AsyncDisposable {
  /** Resolves with the event's ID when the broker has it. */
  put(schema: DescMessage, record: RecordToPut): Promise<string>;
}

export async function openPutter(place: Place): Promise<RecordPutter> {
  const producer = clientOf(place.stack.kafka.brokers).producer();
  await producer.connect();
  return {
    async put(schema, { key, sequence, type, value }) {
      const id = v7();
      const headers = {
        ce_id: id,
        ce_type: type,
        ce_source: TEST_SOURCE,
        ce_specversion: "1.0",
        ce_time: new Date().toISOString(),
        ce_sequence: String(sequence),
        ce_dataschema: schema.typeName,
        "content-type": "application/protobuf",
      };
      const { topic } = streamOf(schema, place.namespace);
      await producer.send({ topic, messages: [{ key, value: Buffer.from(value), headers }] });
      return id;
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}

export const encoded = <S extends DescMessage>(schema: S, init: MessageInitShape<S>): Uint8Array =>
  toBinary(schema, create(schema, init));

/** An order.created that tells Notification to write to the address. */
export const orderCreated = (orderId: string, email: string, number: string): Uint8Array =>
  encoded(OrderEventSchema, {
    orderId,
    customerId: "test",
    event: {
      case: "orderCreated",
      value: {
        number,
        total: { currencyCode: "EUR", minorUnits: 100n },
        contact: { email },
      },
    },
  });

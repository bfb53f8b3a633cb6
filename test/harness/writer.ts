// Puts records onto the topics of a stack, as the service that owns them would, or one that is broken or of another version.
import type { DescMessage } from "@bufbuild/protobuf";
import { v7 } from "uuid";
import { clientOf } from "../../dev/backends/kafka-ready.ts";
import { streamOf } from "../../src/platform/events/stream.ts";
import type { Place } from "./place.ts";
import { TEST_SOURCE } from "./topics.ts";

export interface WrittenEvent {
  readonly key: string;
  readonly sequence: number;
  readonly type: string;
  readonly value: Uint8Array;
}

export interface TopicWriter extends AsyncDisposable {
  /** Puts an event onto the topic of the message. Its ID. */
  put(schema: DescMessage, event: WrittenEvent): Promise<string>;
}

export async function openWriter(place: Place): Promise<TopicWriter> {
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

// Reads the topics of a stack as any other program would: with a plain Kafka client, from the beginning.
import { randomBytes } from "node:crypto";
import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { clientOf } from "../../dev/backends/kafka-ready.ts";
import { streamOf } from "../../src/platform/events/stream.ts";
import type { Place } from "./place.ts";

/** The ce_source of records that no service published. */
export const TEST_SOURCE = "/test";

export interface TopicRecord<S extends DescMessage = DescMessage> {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly event: MessageShape<S>;
  readonly offset: bigint;
  readonly partition: number;
}

export interface Topics extends AsyncDisposable {
  /** What was read so far of the topic of this event message, in the order of each partition. */
  records<S extends DescMessage>(schema: S): TopicRecord<S>[];
}

/** Follows the topics of these event messages until it is disposed. */
export async function openTopics(place: Place, schemas: readonly DescMessage[]): Promise<Topics> {
  const byTopic = new Map(
    schemas.map((schema) => [streamOf(schema, place.namespace).topic, schema]),
  );
  const read = new Map<DescMessage, TopicRecord[]>(schemas.map((schema) => [schema, []]));
  const groupId = `${place.namespace}.reader-${randomBytes(4).toString("hex")}`;
  const consumer = clientOf(place.stack.kafka.brokers).consumer({
    groupId,
    maxWaitTimeInMs: 100,
    retry: { retries: 5 },
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...byTopic.keys()], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ topic, partition, message }) => {
      // What a test put there itself, perhaps on purpose unreadable.
      if (String(message.headers?.["ce_source"]) === TEST_SOURCE) return Promise.resolve();
      const schema = byTopic.get(topic);
      if (schema === undefined || message.value === null) throw new Error(`${topic}: no value`);
      read.get(schema)?.push({
        key: String(message.key),
        headers: Object.fromEntries(
          Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
        ),
        event: fromBinary(schema, message.value),
        offset: BigInt(message.offset),
        partition,
      });
      return Promise.resolve();
    },
  });
  return {
    records: <S extends DescMessage>(schema: S) => (read.get(schema) ?? []) as TopicRecord<S>[],
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

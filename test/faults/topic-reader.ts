// Reads all topics of the stack as they grow, and keeps what the oracle needs of each record, by its place.
import { randomBytes } from "node:crypto";
import { fromBinary, type DescMessage } from "@bufbuild/protobuf";
import type { Consumer, KafkaMessage } from "kafkajs";
import { NotificationEventSchema } from "../../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentEventSchema } from "../../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { streamOf } from "../../src/platform/events/stream.ts";
import { eventually } from "../harness/eventually.ts";
import { placeOf as nameOf, type Ends } from "./calm.ts";
import type { DirectKafka } from "./direct-kafka.ts";
import type { TopicRecord } from "./facts.ts";

const SCHEMAS: readonly DescMessage[] = [
  OrderEventSchema,
  PaymentEventSchema,
  PaymentStatusEventSchema,
  NotificationEventSchema,
];
const READ_WITHIN_MS = 45_000;
/** A reader that stands still for so long, with records to read, is replaced. */
const STUCK_AFTER_MS = 5_000;

export interface TopicReader extends AsyncDisposable {
  readonly topics: readonly string[];
  /** What was read so far of a topic, in the order of each partition. */
  records(topic: string): readonly TopicRecord[];
  /** By offset; a place that was not read yet is empty. */
  partition(topic: string, partition: number): readonly (TopicRecord | undefined)[];
  /** How far the topics go now. @throws while the broker is away */
  ends(): Promise<Ends>;
  /** Resolves when everything that the topics hold now was read. */
  catchUp(): Promise<void>;
}

/** Follows the topics until it is disposed; a broker that was killed is waited for. */
export async function followTopics(direct: DirectKafka, namespace: string): Promise<TopicReader> {
  const topics = SCHEMAS.map((schema) => streamOf(schema, namespace).topic);
  const places = new Map<string, (TopicRecord | undefined)[]>();
  const placeOf = (topic: string, partition: number) => {
    const name = nameOf(topic, partition);
    const place = places.get(name) ?? [];
    places.set(name, place);
    return place;
  };
  const keep = (record: TopicRecord): void => {
    placeOf(record.topic, record.partition)[record.offset] ??= record;
  };
  let member = await join(direct, namespace, { topics, keep });
  const replace = async (): Promise<void> => {
    await member.disconnect().catch(() => undefined); // it hangs, which is why it goes
    member = await join(direct, namespace, { topics, keep });
  };
  return {
    topics,
    records: (topic) =>
      [...places]
        .filter(([name]) => name.startsWith(`${topic}/`))
        .flatMap(([, place]) => place.filter((record) => record !== undefined)),
    partition: (topic, partition) => placeOf(topic, partition),
    ends: () => endsOf(direct, topics),
    catchUp: async () => {
      const ends = await eventually(() => endsOf(direct, topics));
      const missing = () =>
        [...ends].filter(([name, end]) => (places.get(name)?.length ?? 0) < end);
      let moved = performance.now();
      let before = missing().length;
      await eventually(
        async () => {
          const now = missing().length;
          if (now === 0) return;
          if (now !== before) moved = performance.now();
          before = now;
          if (performance.now() - moved > STUCK_AFTER_MS) {
            moved = performance.now();
            await replace();
          }
          throw new Error(`the reader of the topics is behind in ${now} partitions`);
        },
        { withinMs: READ_WITHIN_MS },
      );
    },
    [Symbol.asyncDispose]: () => member.disconnect(),
  };
}

/** Reads from the beginning in a group of its own, which nobody commits for. */
async function join(
  direct: DirectKafka,
  namespace: string,
  o: { readonly topics: readonly string[]; keep(record: TopicRecord): void },
): Promise<Consumer> {
  const consumer = direct.client.consumer({
    groupId: `${namespace}.oracle-${randomBytes(4).toString("hex")}`,
    maxWaitTimeInMs: 200,
    sessionTimeout: 6_000,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: Number.MAX_SAFE_INTEGER },
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...o.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ topic, partition, message }) => {
      const offset = Number(message.offset);
      o.keep(recordOf({ topic, partition, offset }, message));
      return Promise.resolve();
    },
  });
  return consumer;
}

async function endsOf(direct: DirectKafka, topics: readonly string[]): Promise<Ends> {
  return await direct.admin(async (admin) => {
    const ends = topics.map(async (topic) =>
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }): [string, number] => [
        nameOf(topic, partition),
        Number(high),
      ]),
    );
    return new Map((await Promise.all(ends)).flat());
  });
}

function recordOf(
  place: Pick<TopicRecord, "topic" | "partition" | "offset">,
  { key, value, headers }: KafkaMessage,
): TopicRecord {
  const type = String(headers?.["ce_type"]);
  return {
    ...place,
    key: String(key),
    eventId: String(headers?.["ce_id"]),
    seq: Number(headers?.["ce_sequence"]),
    type: type === "payment.status-updated" && value !== null ? `${type} ${statusIn(value)}` : type,
  };
}

function statusIn(value: Buffer): string {
  const { event } = fromBinary(PaymentStatusEventSchema, value);
  return event.case === "paymentStatusUpdated" ? PaymentStatus[event.value.status] : "";
}

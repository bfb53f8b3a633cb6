// Listens to the four topics from now on, with a throw-away group, and says each event in a few words.
import { fromBinary, type DescMessage } from "@bufbuild/protobuf";
import { randomUUID } from "node:crypto";
import { Kafka, logLevel, type KafkaMessage } from "kafkajs";
import { NotificationEventSchema } from "../../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentEventSchema } from "../../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { streamOf } from "../../src/platform/events/stream.ts";

export interface Heard {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly type: string;
  readonly summary: string;
  /** When it was heard (performance.now()). */
  readonly at: number;
}

const schemas: readonly DescMessage[] = [
  OrderEventSchema,
  PaymentEventSchema,
  PaymentStatusEventSchema,
  NotificationEventSchema,
];

export interface Ear extends AsyncDisposable {
  /** Who hears the events from now on. */
  readonly onEvent: (heard: (event: Heard) => void) => void;
}

export async function listen(brokers: readonly string[], namespace: string): Promise<Ear> {
  const kafka = new Kafka({
    clientId: "waybill-demo",
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `waybill-demo-${randomUUID()}`, maxWaitTimeInMs: 20 });
  const topics = new Map(schemas.map((schema) => [streamOf(schema, namespace).topic, schema]));
  let heard: (event: Heard) => void = () => undefined;
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics.keys()], fromBeginning: false });
  const fetched = Promise.withResolvers<void>();
  consumer.on(consumer.events.FETCH, () => fetched.resolve());
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ topic, partition, message }) => {
      const schema = topics.get(topic);
      if (schema !== undefined)
        heard({
          topic,
          partition,
          offset: message.offset,
          at: performance.now(),
          ...described(schema, message),
        });
      return Promise.resolve();
    },
  });
  // From its first fetch on it misses nothing.
  await fetched.promise;
  return {
    onEvent: (listener) => {
      heard = listener;
    },
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

function described(
  schema: DescMessage,
  message: KafkaMessage,
): Pick<Heard, "key" | "type" | "summary"> {
  const value = fromBinary(schema, message.value ?? new Uint8Array()) as unknown as {
    event: {
      case?: string;
      value?: { status?: PaymentStatus; number?: string; paymentId?: string; template?: string };
    };
  };
  const { status, number, template } = value.event.value ?? {};
  const words = [
    number === undefined ? "" : `number ${number}`,
    status === undefined ? "" : `status ${PaymentStatus[status]}`,
    template === undefined ? "" : `template ${template}`,
  ].filter((word) => word !== "");
  return {
    key: String(message.key),
    type: String(message.headers?.["ce_type"] ?? ""),
    summary: [`sequence ${String(message.headers?.["ce_sequence"])}`, ...words].join(", "),
  };
}

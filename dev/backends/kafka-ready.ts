// Asks a Kafka broker whether it really works: that its port is open says little.
import kafkajs, { type Kafka as KafkaClient } from "kafkajs";

/** Its one partition takes the record that proves that the broker stores what it is given. */
const PROBE_TOPIC = "__waybill_ready";
const CONNECT_TIMEOUT_MS = 3000;
const REQUEST_TIMEOUT_MS = 10_000;

/** One request for metadata. @throws what the client throws when no broker answers it */
export async function answersMetadata(brokers: readonly string[]): Promise<void> {
  const admin = clientOf(brokers).admin();
  try {
    await admin.connect();
    await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** Metadata, then one record produced and acknowledged. @throws while the broker is not ready */
export async function provenReady(brokers: readonly string[]): Promise<void> {
  const client = clientOf(brokers);
  const admin = client.admin();
  const producer = client.producer({ allowAutoTopicCreation: false });
  try {
    await admin.connect();
    const topics = [{ topic: PROBE_TOPIC, numPartitions: 1, replicationFactor: 1 }];
    await admin.createTopics({ topics, waitForLeaders: true });
    await producer.connect();
    await producer.send({ topic: PROBE_TOPIC, acks: -1, messages: [{ value: "ready" }] });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

/** A client that does not retry and does not log: its caller asks again. */
export function clientOf(brokers: readonly string[]): KafkaClient {
  return new kafkajs.Kafka({
    clientId: "waybill-dev",
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 0 },
  });
}

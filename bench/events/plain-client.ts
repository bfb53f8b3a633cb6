// The client library as its documentation shows it, with its own defaults: what is compared with.
import kafkajs, { type Kafka } from "kafkajs";

export function plainClient(brokers: readonly string[]): Kafka {
  return new kafkajs.Kafka({
    clientId: "plain",
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
}

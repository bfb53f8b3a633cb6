// Kafka through the client that the services use, with a broker that nobody else needs: it is stopped and killed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientOf } from "../../dev/backends/kafka-ready.ts";
import { startKafka } from "../../dev/backends/kafka.ts";
import { createKafka } from "../../src/platform/events/kafka.ts";
import { eventually } from "../harness/eventually.ts";
import type { Adapter, AdapterUnderTest } from "./adapter.ts";

/** Short, so that a send which nobody answers ends soon. */
const REQUEST_LIMIT_MS = 1_000;

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const kafkajs: AdapterUnderTest = { lacks: {}, open };

async function open(): Promise<Adapter> {
  await using parts = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "waybill-conformance-"));
  parts.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const broker = parts.use(await startKafka({ dataDir }));
  const kafka = parts.use(
    createKafka({
      brokers: broker.brokers,
      clientId: "conformance",
      log: quiet,
      requestLimitMs: REQUEST_LIMIT_MS,
    }),
  );
  // The plain client, past the adapter.
  const client = clientOf(broker.brokers);
  const admin = client.admin();
  await admin.connect();
  parts.defer(() => admin.disconnect());
  const plain = client.producer({ allowAutoTopicCreation: false });
  await plain.connect();
  parts.defer(() => plain.disconnect());
  const transactional = client.producer({
    transactionalId: "conformance",
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 5 },
  });
  await transactional.connect();
  parts.defer(() => transactional.disconnect());
  const running = parts.move();
  let holes = Promise.resolve();

  return {
    producer: kafka.producer,
    consumer: kafka.consumer,
    log: kafka.log,
    async createTopic(topic, partitions) {
      const topics = [{ topic, numPartitions: partitions, replicationFactor: 1 }];
      await admin.createTopics({ topics, waitForLeaders: false });
      // The client's own wait gives up on a topic that the broker does not know yet.
      await eventually(() => admin.fetchTopicMetadata({ topics: [topic] }));
    },
    async write(topic, { key, value }) {
      const message = {
        key: key && Buffer.from(key),
        value: value && Buffer.from(value),
        partition: 0,
      };
      await plain.send({ topic, acks: -1, messages: [message] });
    },
    leaveHole(topic) {
      const leave = async (): Promise<void> => {
        // The first one has its topic made, which takes the broker a while.
        const transaction = await eventually(() => transactional.transaction());
        const message = { value: "never read", partition: 0 };
        await transaction.send({ topic, messages: [message, message] });
        await transaction.abort();
      };
      holes = holes.then(leave);
      return holes;
    },
    async forget(topic, before) {
      const partitions = [{ partition: 0, offset: String(before) }];
      await eventually(() => admin.deleteTopicRecords({ topic, partitions }));
    },
    async loseAnswers() {
      process.kill(broker.pid, "SIGSTOP");
      return async () => void process.kill(broker.pid, "SIGCONT");
    },
    async groups() {
      const { groups } = await admin.listGroups();
      return groups.map(({ groupId }) => groupId);
    },
    async kill() {
      await broker.kill9();
      return broker.restart;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

// Kafka through the client that the services use, with a broker that nobody else needs: it is stopped and killed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientOf } from "../../dev/backends/kafka-ready.ts";
import { startKafka } from "../../dev/backends/kafka.ts";
import { createKafka } from "../../src/platform/events/kafka.ts";
import { eventually } from "../harness/eventually.ts";
import type { Adapter, AdapterUnderTest } from "./adapter.ts";

/** Short, so that what waits for them ends soon. */
const LIMITS = { requestMs: 1_000, rebalanceMs: 2_000 };

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const kafkajs: AdapterUnderTest = { lacks: {}, open };

async function open(): Promise<Adapter> {
  await using parts = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "waybill-conformance-"));
  parts.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const broker = parts.use(await startKafka({ dataDir }));
  const { brokers } = broker;
  const clientId = "conformance";
  const kafka = parts.use(createKafka({ brokers, clientId, log: quiet, limits: LIMITS }));
  const plain = parts.use(await openPlainClient(brokers));
  const running = parts.move();
  return {
    ...plain,
    producer: () => kafka.producer(),
    consumer: () => kafka.consumer(),
    log: () => kafka.log(),
    async loseAnswers() {
      process.kill(broker.pid, "SIGSTOP");
      return async () => void process.kill(broker.pid, "SIGCONT");
    },
    async kill() {
      await broker.kill9();
      return () => broker.restart();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type PlainClient = AsyncDisposable &
  Pick<Adapter, "createTopic" | "write" | "leaveHole" | "forget" | "groups">;

/** What the ports do not do, past the adapter. */
async function openPlainClient(brokers: readonly string[]): Promise<PlainClient> {
  const client = clientOf(brokers);
  const admin = client.admin();
  const producer = client.producer({ allowAutoTopicCreation: false });
  const transactional = client.producer({
    transactionalId: "conformance",
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 5 },
  });
  const parts = [admin, producer, transactional];
  await Promise.all(parts.map((part) => part.connect()));
  let holes = Promise.resolve();
  return {
    async createTopic(topic, partitions) {
      const topics = [{ topic, numPartitions: partitions, replicationFactor: 1 }];
      await admin.createTopics({ topics, waitForLeaders: false });
      // The client's own wait gives up on a topic that the broker does not know yet. Only leaders know the offsets.
      await eventually(() => admin.fetchTopicOffsets(topic));
    },
    async write(topic, { key, value }) {
      const bytes = { key: key && Buffer.from(key), value: value && Buffer.from(value) };
      await producer.send({ topic, acks: -1, messages: [{ ...bytes, partition: 0 }] });
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
    async groups() {
      const { groups } = await admin.listGroups();
      return groups.map(({ groupId }) => groupId);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(parts.map((part) => part.disconnect()));
    },
  };
}

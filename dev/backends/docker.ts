// PostgreSQL and Kafka as containers, for machines with Docker but without Java or Maven.
import { createHash } from "node:crypto";
import { GenericContainer, getContainerRuntimeClient, Wait } from "testcontainers";
import { freePort } from "../process/ports.ts";
import { composeImage } from "./compose.ts";
import { provenReady } from "./kafka-ready.ts";

const POSTGRES_PORT = 5432;
const PASSWORD = "waybill"; // the port is open on this machine alone
const START_TIMEOUT_MS = 180_000;

/** True when a container engine answers. */
export async function dockerAnswers(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false, // none is installed, or it does not run
  );
}

/** PostgreSQL in a container; its data stays in a volume that belongs to this home. */
export async function startPostgresContainer(
  home: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const container = await new GenericContainer(composeImage("postgres"))
    .withEnvironment({ POSTGRES_USER: "waybill", POSTGRES_PASSWORD: PASSWORD })
    .withCommand(["postgres", "-c", "max_connections=200"])
    .withBindMounts([{ source: volumeOf(home, "postgres"), target: "/var/lib/postgresql" }])
    .withExposedPorts(POSTGRES_PORT)
    // While the image sets up a new volume its server listens on a socket alone, so TCP means ready.
    .withHealthCheck({
      test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U waybill"],
      interval: 500,
      timeout: 3000,
      retries: 100,
    })
    .withWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(POSTGRES_PORT)}`;
  return {
    url: `postgres://waybill:${PASSWORD}@${address}/postgres`,
    [Symbol.asyncDispose]: async () => {
      await container.stop();
    },
  };
}

/** Kafka in a container. Its port is chosen beforehand, because the broker has to tell it to its clients. */
export async function startKafkaContainer(
  home: string,
): Promise<AsyncDisposable & { readonly brokers: readonly string[] }> {
  const port = await freePort();
  const brokers = [`127.0.0.1:${port}`];
  const container = await new GenericContainer(composeImage("kafka"))
    .withEnvironment(kafkaEnvironment(port))
    .withBindMounts([{ source: volumeOf(home, "kafka"), target: "/var/lib/kafka/data" }])
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  await provenReady(brokers);
  return {
    brokers,
    [Symbol.asyncDispose]: async () => {
      await container.stop();
    },
  };
}

function kafkaEnvironment(port: number): Record<string, string> {
  return {
    KAFKA_NODE_ID: "1",
    KAFKA_PROCESS_ROLES: "broker,controller",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:29093",
    KAFKA_LISTENERS: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://localhost:29093`,
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    KAFKA_LOG_DIRS: "/var/lib/kafka/data",
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: "1",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: "1",
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    // One cluster for as long as the volume lives.
    CLUSTER_ID: "V2F5YmlsbFdheWJpbGxXYQ",
  };
}

/** Docker makes a named volume when it is first mounted. */
function volumeOf(home: string, server: string): string {
  return `waybill-${createHash("sha256").update(home).digest("hex").slice(0, 12)}-${server}`;
}

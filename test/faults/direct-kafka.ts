// A Kafka client that goes to the broker itself: the broker names the proxy as its address, and this one goes past it.
import { connect } from "node:net";
import kafkajs, { type Admin, type Kafka } from "kafkajs";

const CONNECT_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;

export interface DirectKafka {
  readonly client: Kafka;
  /** Runs the work with a connection of its own. @throws what the client throws while the broker is away */
  admin<T>(work: (admin: Admin) => Promise<T>): Promise<T>;
}

export function directKafka(port: number): DirectKafka {
  const host = "127.0.0.1";
  const client = new kafkajs.Kafka({
    clientId: "waybill-faults",
    brokers: [`${host}:${port}`],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 2 },
    socketFactory: ({ onConnect }) => connect({ host, port, noDelay: true }, onConnect),
  });
  return {
    client,
    async admin(work) {
      const admin = client.admin();
      try {
        await admin.connect();
        return await work(admin);
      } finally {
        await admin.disconnect();
      }
    },
  };
}

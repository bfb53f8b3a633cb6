// The producer port on Kafka: all in-sync replicas or an error, and a new connection after errors in a row.
import { RecordsRefusedError, type EventProducer, type OutRecord } from "./ports.ts";

/** So many refused sends in a row, and the connection is made anew. */
const FAILURES_LIMIT = 3;

/** The part of the client library's producer that is used. */
export interface RawProducer {
  connect(): Promise<void>;
  send(records: readonly OutRecord[]): Promise<void>;
  disconnect(): Promise<void>;
}

/** Error types of the Kafka protocol that no retry heals. */
const malformed = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
]);

export function createKafkaProducer(
  newProducer: () => RawProducer,
): EventProducer & AsyncDisposable {
  let current: Promise<RawProducer> | undefined;
  let failures = 0;

  const connect = async (): Promise<RawProducer> => {
    const producer = newProducer();
    await producer.connect();
    return producer;
  };
  const drop = async (): Promise<void> => {
    const old = current;
    current = undefined;
    if (old !== undefined)
      await old.then((producer) => producer.disconnect()).catch(() => undefined); // it was broken
  };

  return {
    async send(records, { signal }) {
      signal.throwIfAborted();
      try {
        current ??= connect();
        const producer = await current;
        signal.throwIfAborted();
        await producer.send(records);
        failures = 0;
      } catch (error) {
        const type = protocolType(error);
        if (type !== undefined && malformed.has(type))
          throw new RecordsRefusedError("malformed", type, error);
        failures += 1;
        // Without an answer the connection may be dead though it looks open, and would swallow the next send too.
        if (type === undefined || failures >= FAILURES_LIMIT) void drop();
        if (type !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
        throw new RecordsRefusedError("unknown_topic", type, error);
      }
    },
    [Symbol.asyncDispose]: drop,
  };
}

/** The innermost protocol error of a chain of causes: "MESSAGE_TOO_LARGE". */
function protocolType(error: unknown): string | undefined {
  let type: string | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("type" in at && typeof at.type === "string") type = at.type;
  }
  return type;
}

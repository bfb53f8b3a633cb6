// The producer port on Kafka: all in-sync replicas or an error, and a new connection after errors in a row.
import { within } from "./loop.ts";
import { RecordsRefusedError, type EventProducer, type OutRecord } from "./ports.ts";

/** So many failed sends in a row, and the connection is made anew. */
const FAILURES_LIMIT = 3;
/** A connection that answers nothing is left at once: on a path that swallowed a packet it may stay so for minutes. */
const UNANSWERED = "KafkaJSRequestTimeoutError";
/** A connection that is closed waits for answers: not longer than this. */
const CLOSE_LIMIT_MS = 3_000;

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
  const drop = async (old: Promise<RawProducer> | undefined): Promise<void> => {
    if (current === old) current = undefined; // else another send has a new one already
    if (old === undefined) return;
    const closed = old.then((producer) => producer.disconnect()).catch(() => undefined); // it was broken
    await within(CLOSE_LIMIT_MS, closed);
  };

  return {
    async send(records, { signal }) {
      signal.throwIfAborted();
      if (records.length === 0) return;
      current ??= connect();
      const mine = current;
      try {
        const producer = await mine;
        signal.throwIfAborted();
        await producer.send(records);
        failures = 0;
      } catch (error) {
        const type = protocolType(error);
        if (type !== undefined && malformed.has(type))
          throw new RecordsRefusedError("malformed", type, error);
        failures += 1;
        if (failures >= FAILURES_LIMIT || isUnanswered(error) || (await isBroken(mine)))
          await drop(mine);
        if (type !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
        throw new RecordsRefusedError("unknown_topic", type, error);
      }
    },
    [Symbol.asyncDispose]: () => drop(current),
  };
}

const isBroken = (connecting: Promise<RawProducer>): Promise<boolean> =>
  connecting.then(
    () => false,
    () => true,
  );

const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && (error.name === UNANSWERED || isUnanswered(error.cause));

/** The innermost protocol error of a chain of causes: "MESSAGE_TOO_LARGE". */
function protocolType(error: unknown): string | undefined {
  let type: string | undefined;
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("type" in at && typeof at.type === "string") type = at.type;
  }
  return type;
}

// The only way to publish an event: as a row, in the transaction whose change it tells of.
import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { sql } from "drizzle-orm";
import { storedHeaders } from "./cloud-event.ts";
import { shardOf } from "./key-hash.ts";
import { eventSequence, outbox, type Transaction } from "./schema.ts";
import { ContractError, streamOf, type StreamTopic } from "./stream.ts";

/** A broker takes records of up to 1 MiB unless told otherwise; the rest is for headers. */
const EVENT_LIMIT_BYTES = 900_000;

export interface Outbox {
  /**
   * Publishes the event if, and only if, the transaction commits. Events of one topic and key get the sequence
   * 1, 2, 3 …; a second transaction that publishes for the same key waits here for the first one's end.
   * Throws a ContractError when the event breaks the contract: a bug of the caller, nothing was written.
   */
  publish<S extends DescMessage>(
    tx: Transaction,
    schema: S,
    event: MessageInitShape<S>,
  ): Promise<void>;
}

export function createOutbox(o: {
  /** CloudEvents source: "/waybill/order". */
  source: string;
  namespace: string;
  /** The trace that the event belongs to, if any. */
  traceparent: () => string | undefined;
  newId: () => string;
}): Outbox {
  const validator = createValidator();
  const streams = new Map<DescMessage, StreamTopic>();

  const streamFor = (schema: DescMessage): StreamTopic => {
    const known = streams.get(schema) ?? streamOf(schema, o.namespace);
    streams.set(schema, known);
    return known;
  };

  return {
    async publish(tx, schema, event) {
      const stream = streamFor(schema);
      const message = create(schema, event);
      const verdict = validator.validate(schema, message);
      if (verdict.kind !== "valid") {
        throw new ContractError(
          `A ${schema.typeName} breaks the contract: ${verdict.error.message}`,
        );
      }
      const type = stream.typeOf(message);
      if (type === undefined)
        throw new ContractError(`A ${schema.typeName} holds no event that has a name.`);
      const payload = toBinary(schema, message);
      if (payload.byteLength > EVENT_LIMIT_BYTES) {
        throw new ContractError(
          `A ${type} of ${payload.byteLength} bytes is over the limit of ${EVENT_LIMIT_BYTES}.`,
        );
      }
      const { source } = o;
      const headers = storedHeaders({
        source,
        dataSchema: schema.typeName,
        time: new Date(),
        traceparent: o.traceparent(),
      });
      await insert(tx, {
        eventId: o.newId(),
        topic: stream.topic,
        key: stream.keyOf(message),
        type,
        payload,
        headers,
      });
    },
  };
}

interface NewRow {
  readonly eventId: string;
  readonly topic: string;
  readonly key: string;
  readonly type: string;
  readonly payload: Uint8Array;
  readonly headers: object;
}

/**
 * One round trip. The sequence is bumped before the outbox row takes its id: its row lock makes transactions on one
 * key follow each other, so the ids of a key are in the order of their commits. The relay's order rests on that.
 */
async function insert(tx: Transaction, row: NewRow): Promise<void> {
  const aggregateType = row.type.split(".", 1)[0] ?? row.type;
  await tx.execute(sql`
    WITH bumped AS (
      INSERT INTO ${eventSequence} AS sequence (topic, key, last) VALUES (${row.topic}, ${row.key}, 1)
      ON CONFLICT (topic, key) DO UPDATE SET last = sequence.last + 1, update_time = now()
      RETURNING last
    )
    INSERT INTO ${outbox} (event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
    SELECT ${row.eventId}::uuid, ${row.topic}, ${aggregateType}, ${row.key}, ${row.type}, bumped.last,
           ${shardOf(row.key)}::smallint, ${row.payload}::bytea, ${JSON.stringify(row.headers)}::jsonb
    FROM bumped`);
}

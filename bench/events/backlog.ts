// Fills an outbox as if its relay had been away: by SQL, because publishing a million events would take longer than to measure.
import type { OpenGround } from "./ground.ts";
import { samplePayload } from "./sample.ts";

/** Keys of the backlog: its rows are spread over them, and they over all shards. */
const KEYS = 10_000;
const SHARDS = 16;
const CHUNK_ROWS = 50_000;

const headers = JSON.stringify({
  "content-type": "application/protobuf",
  ce_specversion: "1.0",
  ce_source: "/waybill/order",
  ce_time: "2026-01-01T00:00:00.000Z",
  ce_dataschema: "waybill.order.v1.OrderEvent",
  traceparent: `00-${"a1".repeat(16)}-${"b2".repeat(8)}-01`,
});

/** Rows with UUIDv7s as IDs, and sequences without gaps. In an empty outbox, the first of each key has the sequence 1. */
export async function fillOutbox({ sql, topic }: OpenGround, rows: number): Promise<void> {
  const payload = Buffer.from(samplePayload("00000000-0000-4000-8000-000000000042"));
  const began = Date.now();
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const to = Math.min(from + CHUNK_ROWS, rows) - 1;
    await sql`
      INSERT INTO outbox (event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
      SELECT (lpad(to_hex(${began}::bigint + n / 10), 12, '0') || '7000b' || lpad(to_hex(n), 15, '0'))::uuid,
             ${topic}, 'order', lpad(to_hex(n % ${KEYS}::int), 32, '0')::uuid::text, 'order.created',
             n / ${KEYS}::int + 1, n % ${KEYS}::int % ${SHARDS}::int, ${payload}, ${headers}::text::jsonb
      FROM generate_series(${from}::int, ${to}::int) AS n`;
  }
}

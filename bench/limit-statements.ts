// The rows that one new order costs the Order service's database, as plain SQL: what no service around them can outrun.
//
// `:n` is a number that no other order has. Everything else is constant, with the lengths of a real order's values.

/** Bytes of an order.created with two lines. */
const PAYLOAD_BYTES = 250;

const id = "lpad(to_hex(:n::bigint), 32, '0')::uuid";

const request = `
  INSERT INTO order_requests (customer_id, request_id, request_hash, order_id, create_time)
  VALUES ('bench-42', ${id}::text, repeat('h', 43), ${id}, now())`;

const order = `
  INSERT INTO orders (id, number, customer_id, status, currency_code, total_minor_units, email, phone_number, locale,
    payment_method, payment_id, payment_status, attempt_number, decline_code, initiate_due_time, initiate_tries, version,
    create_time, update_time)
  VALUES (${id}, 'WB-' || to_hex(:n::bigint), 'bench-42', 'PENDING', 'EUR', 6799, 'bench-42@example.com', '', '',
    'pm_card_visa', NULL, 'PENDING_INITIATION', 1, '', now() + interval '5 s', 0, 1, now(), now())`;

const items = `
  INSERT INTO order_items (order_id, position, sku, name, quantity, unit_price_minor_units, subtotal_minor_units)
  VALUES (${id}, 0, 'coffee-beans-1kg', 'Coffee beans, 1 kg', 1, 1899, 1899),
         (${id}, 1, 'espresso-cups', 'Espresso cups, set of six', 2, 2450, 4900)`;

const sequence = `
  INSERT INTO event_sequence AS sequence (topic, key, last) VALUES ('bench.order-events', ${id}::text, 1)
  ON CONFLICT (topic, key) DO UPDATE SET last = sequence.last + 1, update_time = now()
  RETURNING last`;

const headers = JSON.stringify({
  "content-type": "application/protobuf",
  ce_specversion: "1.0",
  ce_source: "/waybill/order",
  ce_time: "2026-01-01T00:00:00.000Z",
  ce_dataschema: "waybill.order.v1.OrderEvent",
  traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
});

const event = `
  INSERT INTO outbox (event_id, topic, aggregate_type, aggregate_id, type, seq, shard, payload, headers)
  SELECT ${id}, 'bench.order-events', 'order', ${id}::text, 'order.created', bumped.last,
         (:n::bigint % 16)::smallint, decode(repeat('61', ${PAYLOAD_BYTES}), 'hex'), '${headers}'::jsonb
  FROM bumped`;

const lines = (sql: string): string => sql.replaceAll(/\s+/g, " ").trim();

/** Sent one by one between BEGIN and COMMIT, each waiting for the one before: six round trips. */
export const STEPS: readonly string[] = [
  request,
  order,
  items,
  `WITH bumped AS (${sequence}) ${event}`,
].map(lines);

/** All of it as one statement, and so one round trip. */
export const AT_ONCE = lines(`
  WITH request AS (${request}), new_order AS (${order}), items AS (${items}), bumped AS (${sequence}) ${event}`);

export type Manner = "steps" | "at-once";

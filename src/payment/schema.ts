// Every table of the Payment service's database. `npm run generate` makes the migrations from it.
import {
  bigint,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** The money of one order. One order never has two. */
export const payments = pgTable(
  "payments",
  {
    id: uuid().primaryKey(),
    orderId: uuid("order_id").notNull(),
    customerId: text("customer_id").notNull(),
    currencyCode: text("currency_code").notNull(),
    minorUnits: bigint("minor_units", { mode: "bigint" }).notNull(),
    /** A name of the contract's PaymentStatus. */
    status: text().notNull(),
    /** The number of the last attempt. */
    attemptNumber: integer("attempt_number").notNull(),
    declineCode: text("decline_code").notNull().default(""),
    /** Stripe's "pi_…"; null until Stripe has been heard. */
    paymentIntentId: text("payment_intent_id"),
    /** When the fetch began whose answer this row shows: an answer to an older fetch is ignored. */
    snapshotTime: time("snapshot_time"),
    /** The trace of the request that asked for the last attempt (W3C Trace Context): what comes of it later goes on with it. */
    traceparent: text(),
    version: bigint({ mode: "bigint" }).notNull(),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
  },
  (table) => [
    uniqueIndex("payments_order").on(table.orderId),
    uniqueIndex("payments_payment_intent").on(table.paymentIntentId),
    index("payments_customer").on(table.customerId, table.id.desc()),
  ],
);

/** One call to Stripe that may charge, stored before it is made, with all that it takes to repeat it to the letter. */
export const paymentAttempts = pgTable(
  "payment_attempts",
  {
    id: uuid().primaryKey(),
    paymentId: uuid("payment_id")
      .notNull()
      .references(() => payments.id, { onDelete: "cascade" }),
    attemptNumber: integer("attempt_number").notNull(),
    /** CREATING: the call may be under way. UNKNOWN: a call was lost. SETTLED: Stripe answered. PARKED: an operator must look. */
    status: text().notNull(),
    /** Stripe's idempotency key of the call. */
    idempotencyKey: text("idempotency_key").notNull(),
    /** The exact parameters of the call, in their order, which jsonb would not keep: the same key with other ones is refused. */
    params: json().notNull(),
    tries: integer().notNull().default(0),
    /** When the worker makes the call (again); null once it is settled. */
    dueTime: time("due_time"),
    createTime: time("create_time").notNull(),
  },
  (table) => [
    uniqueIndex("payment_attempts_number").on(table.paymentId, table.attemptNumber),
    index("payment_attempts_due").on(table.dueTime),
  ],
);

/** What Stripe's webhooks told, each event once. It is stored first and applied later. */
export const stripeEvents = pgTable(
  "stripe_events",
  {
    /** Stripe's "evt_…". */
    id: text().primaryKey(),
    type: text().notNull(),
    /** The PaymentIntent that it speaks of, or "". */
    paymentIntentId: text("payment_intent_id").notNull(),
    /** The event as it came, without client secrets. */
    payload: jsonb().notNull(),
    /** RECEIVED, UNMATCHED (no payment of ours yet; tried again), APPLIED or IGNORED. */
    status: text().notNull(),
    /** Why it was ignored, or is unmatched. */
    reason: text().notNull().default(""),
    tries: integer().notNull().default(0),
    /** When the worker applies it (again); null once it is done with. */
    dueTime: time("due_time"),
    receiveTime: time("receive_time").notNull(),
  },
  (table) => [index("stripe_events_due").on(table.dueTime)],
);

export {
  eventAttempt,
  eventAudit,
  eventSequence,
  heldEvent,
  inbox,
  outbox,
  outboxParked,
  outboxShard,
  relayHeartbeat,
} from "../platform/events/schema.ts";

export { timelineEntries } from "../platform/timeline/schema.ts";

// Every table of the Payment service's database. `npm run generate` makes the migrations from it.
import { sql } from "drizzle-orm";
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
    /** What was taken, where it can be told in this payment's currency; null while nothing was. */
    receivedMinorUnits: bigint("received_minor_units", { mode: "bigint" }),
    /** What does not fit, for operators. */
    reviewReason: text("review_reason").notNull().default(""),
    /** When the PaymentIntent is looked at next; null once the payment is final, or while its first call is not settled. */
    checkDueTime: time("check_due_time"),
    /** How often it was looked at since the payment changed last. */
    checkTries: integer("check_tries").notNull().default(0),
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
    index("payments_status").on(table.status, table.id.desc()),
    index("payments_check_due")
      .on(table.checkDueTime)
      .where(sql`${table.checkDueTime} IS NOT NULL`),
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
    customerId: text("customer_id").notNull().default(""),
    /**
     * CREATING: the call may be under way. UNKNOWN: a call was lost. LOOKING: it must not be repeated, so Stripe is asked what
     * there is. SETTLED: Stripe answered, or it is proven that there is nothing. PARKED: an operator must look.
     */
    status: text().notNull(),
    /** Stripe's idempotency key of the call. */
    idempotencyKey: text("idempotency_key").notNull(),
    /** The exact parameters of the call, in their order, which jsonb would not keep: the same key with other ones is refused. */
    params: json().notNull(),
    tries: integer().notNull().default(0),
    /** When the worker makes the call (again); null once it is settled. */
    dueTime: time("due_time"),
    /** Since when it is LOOKING: only what is not there well after the last call was proven never to have been made. */
    lookTime: time("look_time"),
    /** When the bank refused it; null where it did not. */
    refuseTime: time("refuse_time"),
    createTime: time("create_time").notNull(),
  },
  (table) => [
    uniqueIndex("payment_attempts_number").on(table.paymentId, table.attemptNumber),
    index("payment_attempts_due").on(table.dueTime),
    index("payment_attempts_refused")
      .on(table.customerId, table.refuseTime)
      .where(sql`${table.refuseTime} IS NOT NULL`),
  ],
);

/** Money that is given back: a call to Stripe like an attempt, or what somebody did at Stripe itself. */
export const refunds = pgTable(
  "refunds",
  {
    id: uuid().primaryKey(),
    paymentId: uuid("payment_id")
      .notNull()
      .references(() => payments.id, { onDelete: "cascade" }),
    /** Who asked and under which request_id; null for one that was made at Stripe. */
    source: text(),
    /** What was asked for; null for all that is left, and for one that was made at Stripe. */
    requestedMinorUnits: bigint("requested_minor_units", { mode: "bigint" }),
    currencyCode: text("currency_code").notNull(),
    minorUnits: bigint("minor_units", { mode: "bigint" }).notNull(),
    /** A name of the contract's RefundStatus. */
    status: text().notNull(),
    /** A name of the contract's RefundReason. */
    reason: text().notNull(),
    failureReason: text("failure_reason").notNull().default(""),
    /** Stripe's "re_…"; null until Stripe has been heard. */
    stripeRefundId: text("stripe_refund_id"),
    /** Stripe's idempotency key of the call; "" for one that was made at Stripe. */
    idempotencyKey: text("idempotency_key").notNull(),
    /** The exact parameters of the call, as of an attempt. */
    params: json(),
    /** Where the call stands, as of an attempt. */
    callStatus: text("call_status").notNull(),
    tries: integer().notNull().default(0),
    /** When the worker makes the call (again), or looks whether the bank has decided; null when neither is needed. */
    dueTime: time("due_time"),
    lookTime: time("look_time"),
    /** When the fetch began whose answer this row shows. */
    snapshotTime: time("snapshot_time"),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
  },
  (table) => [
    uniqueIndex("refunds_source").on(table.source),
    uniqueIndex("refunds_stripe_refund").on(table.stripeRefundId),
    index("refunds_payment").on(table.paymentId, table.createTime),
    index("refunds_due").on(table.dueTime),
  ],
);

/** What the customers' banks want back. */
export const disputes = pgTable(
  "disputes",
  {
    /** Stripe's "du_…". */
    id: text().primaryKey(),
    paymentId: uuid("payment_id")
      .notNull()
      .references(() => payments.id, { onDelete: "cascade" }),
    currencyCode: text("currency_code").notNull(),
    minorUnits: bigint("minor_units", { mode: "bigint" }).notNull(),
    /** A name of the contract's DisputeStatus. */
    status: text().notNull(),
    reason: text().notNull(),
    /** When the fetch began whose answer this row shows. */
    snapshotTime: time("snapshot_time").notNull(),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
  },
  (table) => [index("disputes_payment").on(table.paymentId)],
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
    /** How often it came again by webhook. */
    repeats: integer().notNull().default(0),
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

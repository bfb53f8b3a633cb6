// Every table of the Order service's database. `npm run generate` makes the migrations from it.
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const minorUnits = (name: string) => bigint(name, { mode: "bigint" });

/** The price book. */
export const products = pgTable("products", {
  sku: text().primaryKey(),
  name: text().notNull(),
  currencyCode: text("currency_code").notNull(),
  minorUnits: minorUnits("minor_units").notNull(),
  createTime: time("create_time").notNull().defaultNow(),
  updateTime: time("update_time").notNull().defaultNow(),
});

export const orders = pgTable(
  "orders",
  {
    id: uuid().primaryKey(),
    number: text().notNull(),
    customerId: text("customer_id").notNull(),
    /** A name of the contract's OrderStatus: PENDING, PAID … */
    status: text().notNull(),
    currencyCode: text("currency_code").notNull(),
    totalMinorUnits: minorUnits("total_minor_units").notNull(),
    email: text().notNull(),
    phoneNumber: text("phone_number").notNull(),
    locale: text().notNull(),
    /** The Stripe PaymentMethod to charge with, for the worker that repeats a lost InitiatePayment. */
    paymentMethod: text("payment_method").notNull(),
    /** Null until the Payment service has told of it. */
    paymentId: uuid("payment_id"),
    /** A name of the contract's PaymentStatus. */
    paymentStatus: text("payment_status").notNull(),
    attemptNumber: integer("attempt_number").notNull(),
    declineCode: text("decline_code").notNull().default(""),
    /** Whether the Payment service is known to have the last attempt. */
    initiated: boolean().notNull().default(false),
    /** CANCELLED or EXPIRED: what the order becomes as soon as its payment is cancelled. */
    closing: text(),
    /** Money came for an order that was CANCELLED or EXPIRED: it has to be given back. */
    lateMoney: boolean("late_money").notNull().default(false),
    disputed: boolean().notNull().default(false),
    /** From when on it is not to be paid any more. */
    expireTime: time("expire_time")
      .notNull()
      .default(sql`now()`),
    /** When a worker looks at it next; what there is to do then, dueWork says. Null: nothing. */
    dueTime: time("due_time"),
    /** How often it was looked at for the same reason. */
    tries: integer().notNull().default(0),
    /** The trace of the request that last asked to pay it (W3C Trace Context): the worker goes on with it. */
    traceparent: text(),
    version: bigint({ mode: "bigint" }).notNull(),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
  },
  (table) => [
    uniqueIndex("orders_number").on(table.number),
    index("orders_customer").on(table.customerId, table.id.desc()),
    index("orders_due").on(table.dueTime),
  ],
);

export const orderItems = pgTable(
  "order_items",
  {
    orderId: uuid("order_id")
      .notNull()
      .references(() => orders.id, { onDelete: "cascade" }),
    /** The item's place in the order, from 0. */
    position: integer().notNull(),
    sku: text().notNull(),
    name: text().notNull(),
    quantity: integer().notNull(),
    unitPriceMinorUnits: minorUnits("unit_price_minor_units").notNull(),
    subtotalMinorUnits: minorUnits("subtotal_minor_units").notNull(),
  },
  (table) => [primaryKey({ columns: [table.orderId, table.position] })],
);

/** What is known of the refunds of an order's payment. */
export const orderRefunds = pgTable(
  "order_refunds",
  {
    id: uuid().primaryKey(),
    orderId: uuid("order_id").notNull(),
    paymentId: uuid("payment_id").notNull(),
    minorUnits: minorUnits("minor_units").notNull(),
    /** A name of the contract's RefundStatus. */
    status: text().notNull(),
    /** A name of the contract's RefundReason. */
    reason: text().notNull(),
    failureReason: text("failure_reason").notNull().default(""),
    stripeRefundId: text("stripe_refund_id").notNull().default(""),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
  },
  (table) => [index("order_refunds_order").on(table.orderId)],
);

/** Which request made which order, or which attempt to pay it: a repeated request_id finds it here. */
export const orderRequests = pgTable(
  "order_requests",
  {
    customerId: text("customer_id").notNull(),
    requestId: text("request_id").notNull(),
    /** SHA-256 of the request without its ID, base64url. */
    requestHash: text("request_hash").notNull(),
    orderId: uuid("order_id").notNull(),
    /** The attempt that it made. */
    attemptNumber: integer("attempt_number").notNull().default(1),
    createTime: time("create_time").notNull(),
  },
  (table) => [primaryKey({ columns: [table.customerId, table.requestId] })],
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

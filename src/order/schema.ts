// Every table of the Order service's database. `npm run generate` makes the migrations from it.
import {
  bigint,
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
    /** When the worker asks the Payment service (again); null once an event has told of the payment. */
    initiateDueTime: time("initiate_due_time"),
    initiateTries: integer("initiate_tries").notNull().default(0),
    /** The trace of the request that made it (W3C Trace Context): the worker that asks for its payment goes on with it. */
    traceparent: text(),
    version: bigint({ mode: "bigint" }).notNull(),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
  },
  (table) => [
    uniqueIndex("orders_number").on(table.number),
    index("orders_customer").on(table.customerId, table.id.desc()),
    index("orders_initiate_due").on(table.initiateDueTime),
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

/** Which request made which order: a repeated request_id finds it here. */
export const orderRequests = pgTable(
  "order_requests",
  {
    customerId: text("customer_id").notNull(),
    requestId: text("request_id").notNull(),
    /** SHA-256 of the request without its ID, base64url. */
    requestHash: text("request_hash").notNull(),
    orderId: uuid("order_id").notNull(),
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

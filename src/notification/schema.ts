// Every table of the Notification service's database. `npm run generate` makes the migrations from it.
import {
  bigint,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** What a customer is told about an order, and where: kept from order.created, for the events that follow it. */
export const orderContacts = pgTable("order_contacts", {
  orderId: uuid("order_id").primaryKey(),
  customerId: text("customer_id").notNull(),
  number: text().notNull(),
  currencyCode: text("currency_code").notNull(),
  totalMinorUnits: bigint("total_minor_units", { mode: "bigint" }).notNull(),
  email: text().notNull(),
  phoneNumber: text("phone_number").notNull(),
  locale: text().notNull(),
  createTime: time("create_time").notNull().defaultNow(),
});

/** One message to one recipient over one channel: the intent to send it, and what became of it. */
export const notifications = pgTable(
  "notifications",
  {
    id: uuid().primaryKey(),
    /** What asked for it: "event:<ID>", or "request:<who>:<request_id>". */
    source: text().notNull(),
    orderId: uuid("order_id"),
    customerId: text("customer_id").notNull(),
    /** EMAIL or SMS. */
    channel: text().notNull(),
    recipient: text().notNull(),
    /** A name of the contract's NotificationStatus. */
    status: text().notNull(),
    template: text().notNull(),
    templateVersion: integer("template_version").notNull(),
    locale: text().notNull(),
    subject: text().notNull(),
    text: text().notNull(),
    html: text().notNull(),
    providerMessageId: text("provider_message_id").notNull().default(""),
    failureReason: text("failure_reason").notNull().default(""),
    /** The trace of what asked for it (W3C Trace Context): the worker that sends it goes on with it. */
    traceparent: text(),
    attemptCount: integer("attempt_count").notNull().default(0),
    /** QUEUED: when to send it. SENDING: when whoever sends it counts as dead. Else null. */
    dueTime: time("due_time"),
    createTime: time("create_time").notNull(),
    updateTime: time("update_time").notNull(),
    sendTime: time("send_time"),
  },
  (table) => [
    // What makes a message one message: nothing is told twice.
    uniqueIndex("notifications_once").on(
      table.source,
      table.template,
      table.channel,
      table.recipient,
    ),
    index("notifications_due").on(table.dueTime),
    index("notifications_customer").on(table.customerId, table.id.desc()),
    index("notifications_order").on(table.orderId),
  ],
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

// The table of what happened to an order, and why nothing did. Every service that knows of orders has one.
import { index, jsonb, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** Rows are only added. */
export const timelineEntries = pgTable(
  "timeline_entries",
  {
    id: uuid("id").primaryKey(),
    orderId: uuid("order_id").notNull(),
    customerId: text("customer_id").notNull(),
    /** A word for programs: "payment.attempt_refused". */
    type: text("type").notNull(),
    /** A sentence for people. */
    text: text("text").notNull(),
    /** A name of the contract's TimelineVisibility. */
    visibility: text("visibility").$type<"PUBLIC" | "OPERATOR">().notNull(),
    references: jsonb("references").$type<Readonly<Record<string, string>>>().notNull(),
    traceparent: text("traceparent").notNull(),
    createTime: timestamp("create_time", { withTimezone: true, precision: 3 }).notNull(),
  },
  (table) => [index("timeline_entries_order").on(table.orderId, table.id)],
);

CREATE TABLE "order_refunds" (
	"id" uuid PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"payment_id" uuid NOT NULL,
	"minor_units" bigint NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"failure_reason" text DEFAULT '' NOT NULL,
	"stripe_refund_id" text DEFAULT '' NOT NULL,
	"create_time" timestamp (3) with time zone NOT NULL,
	"update_time" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "timeline_entries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"customer_id" text NOT NULL,
	"type" text NOT NULL,
	"text" text NOT NULL,
	"visibility" text NOT NULL,
	"references" jsonb NOT NULL,
	"traceparent" text NOT NULL,
	"create_time" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "order_requests" ADD COLUMN "attempt_number" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "initiated" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "closing" text;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "late_money" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "disputed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "expire_time" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "due_time" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "tries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "order_refunds_order" ON "order_refunds" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "timeline_entries_order" ON "timeline_entries" USING btree ("order_id","id");--> statement-breakpoint
CREATE INDEX "orders_due" ON "orders" USING btree ("due_time");--> statement-breakpoint
-- By hand: what the due time was for is told by columns of its own now, and every open order gets a day to be paid.
UPDATE "orders" SET
	"initiated" = "initiate_due_time" IS NULL,
	"expire_time" = "create_time" + interval '1 day',
	"due_time" = CASE WHEN "status" IN ('PENDING', 'FAILED') THEN coalesce("initiate_due_time", "create_time" + interval '1 day') END;

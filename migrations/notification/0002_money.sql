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
CREATE INDEX "timeline_entries_order" ON "timeline_entries" USING btree ("order_id","id");
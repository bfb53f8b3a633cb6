CREATE UNLOGGED TABLE "event_attempt" (
	"consumer" text NOT NULL,
	"event_id" uuid NOT NULL,
	"started" integer NOT NULL,
	CONSTRAINT "event_attempt_consumer_event_id_pk" PRIMARY KEY("consumer","event_id")
);
--> statement-breakpoint
CREATE TABLE "event_audit" (
	"id" uuid PRIMARY KEY NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"subject" jsonb NOT NULL,
	"reason" text NOT NULL,
	"events" integer NOT NULL,
	"create_time" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "held_event" ADD COLUMN "dead_time" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "event_audit_time" ON "event_audit" USING btree ("create_time");--> statement-breakpoint
-- By hand: rows live for milliseconds, so the table is vacuumed by count, often and at full speed, never because it grew.
ALTER TABLE "outbox" SET (fillfactor = 100, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1);
--> statement-breakpoint
DROP INDEX "outbox_shard_id";

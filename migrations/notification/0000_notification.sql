CREATE TABLE "notifications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"order_id" uuid,
	"customer_id" text NOT NULL,
	"channel" text NOT NULL,
	"recipient" text NOT NULL,
	"status" text NOT NULL,
	"template" text NOT NULL,
	"template_version" integer NOT NULL,
	"locale" text NOT NULL,
	"subject" text NOT NULL,
	"text" text NOT NULL,
	"html" text NOT NULL,
	"provider_message_id" text DEFAULT '' NOT NULL,
	"failure_reason" text DEFAULT '' NOT NULL,
	"attempt_count" integer DEFAULT 0 NOT NULL,
	"due_time" timestamp (3) with time zone,
	"create_time" timestamp (3) with time zone NOT NULL,
	"update_time" timestamp (3) with time zone NOT NULL,
	"send_time" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "order_contacts" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"customer_id" text NOT NULL,
	"number" text NOT NULL,
	"currency_code" text NOT NULL,
	"total_minor_units" bigint NOT NULL,
	"email" text NOT NULL,
	"phone_number" text NOT NULL,
	"locale" text NOT NULL,
	"create_time" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_sequence" (
	"topic" text NOT NULL,
	"key" text NOT NULL,
	"last" bigint NOT NULL,
	"update_time" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_sequence_topic_key_pk" PRIMARY KEY("topic","key")
);
--> statement-breakpoint
CREATE TABLE "held_event" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "held_event_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"consumer" text NOT NULL,
	"topic" text NOT NULL,
	"key" text NOT NULL,
	"event_id" uuid NOT NULL,
	"type" text NOT NULL,
	"seq" bigint NOT NULL,
	"partition" integer NOT NULL,
	"offset" bigint NOT NULL,
	"headers" jsonb NOT NULL,
	"record_key" "bytea",
	"payload" "bytea",
	"state" text NOT NULL,
	"reason" text NOT NULL,
	"error" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_time" timestamp with time zone,
	"create_time" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "held_event_consumer_event" UNIQUE("consumer","event_id")
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"consumer" text NOT NULL,
	"event_id" uuid NOT NULL,
	"process_time" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inbox_consumer_event_id_pk" PRIMARY KEY("consumer","event_id")
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"event_id" uuid NOT NULL,
	"topic" text NOT NULL,
	"aggregate_type" text NOT NULL,
	"aggregate_id" text NOT NULL,
	"type" text NOT NULL,
	"seq" bigint NOT NULL,
	"shard" smallint NOT NULL,
	"payload" "bytea" NOT NULL,
	"headers" jsonb NOT NULL,
	"create_time" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_topic_key_seq" UNIQUE("topic","aggregate_id","seq")
);
--> statement-breakpoint
CREATE TABLE "outbox_parked" (
	"id" bigint PRIMARY KEY NOT NULL,
	"event_id" uuid NOT NULL,
	"topic" text NOT NULL,
	"aggregate_type" text NOT NULL,
	"aggregate_id" text NOT NULL,
	"type" text NOT NULL,
	"seq" bigint NOT NULL,
	"shard" smallint NOT NULL,
	"payload" "bytea" NOT NULL,
	"headers" jsonb NOT NULL,
	"create_time" timestamp with time zone NOT NULL,
	"reason" text NOT NULL,
	"park_time" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_parked_topic_key_seq" UNIQUE("topic","aggregate_id","seq")
);
--> statement-breakpoint
CREATE TABLE "outbox_shard" (
	"shard" smallint PRIMARY KEY NOT NULL,
	"owner" uuid,
	"lease_until" timestamp with time zone DEFAULT '-infinity' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "relay_heartbeat" (
	"relay" uuid PRIMARY KEY NOT NULL,
	"seen_time" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "notifications_once" ON "notifications" USING btree ("source","template","channel","recipient");--> statement-breakpoint
CREATE INDEX "notifications_due" ON "notifications" USING btree ("due_time");--> statement-breakpoint
CREATE INDEX "notifications_customer" ON "notifications" USING btree ("customer_id","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "notifications_order" ON "notifications" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "held_event_key" ON "held_event" USING btree ("consumer","key","topic","id");--> statement-breakpoint
CREATE INDEX "held_event_due" ON "held_event" USING btree ("consumer","due_time") WHERE "held_event"."state" = 'waiting';--> statement-breakpoint
CREATE INDEX "outbox_shard_id" ON "outbox" USING btree ("shard","id");
CREATE TABLE "order_items" (
	"order_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"sku" text NOT NULL,
	"name" text NOT NULL,
	"quantity" integer NOT NULL,
	"unit_price_minor_units" bigint NOT NULL,
	"subtotal_minor_units" bigint NOT NULL,
	CONSTRAINT "order_items_order_id_position_pk" PRIMARY KEY("order_id","position")
);
--> statement-breakpoint
CREATE TABLE "order_requests" (
	"customer_id" text NOT NULL,
	"request_id" text NOT NULL,
	"request_hash" text NOT NULL,
	"order_id" uuid NOT NULL,
	"create_time" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "order_requests_customer_id_request_id_pk" PRIMARY KEY("customer_id","request_id")
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"number" text NOT NULL,
	"customer_id" text NOT NULL,
	"status" text NOT NULL,
	"currency_code" text NOT NULL,
	"total_minor_units" bigint NOT NULL,
	"email" text NOT NULL,
	"phone_number" text NOT NULL,
	"locale" text NOT NULL,
	"payment_method" text NOT NULL,
	"payment_id" uuid,
	"payment_status" text NOT NULL,
	"attempt_number" integer NOT NULL,
	"decline_code" text DEFAULT '' NOT NULL,
	"initiate_due_time" timestamp (3) with time zone,
	"initiate_tries" integer DEFAULT 0 NOT NULL,
	"version" bigint NOT NULL,
	"create_time" timestamp (3) with time zone NOT NULL,
	"update_time" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "products" (
	"sku" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"currency_code" text NOT NULL,
	"minor_units" bigint NOT NULL,
	"create_time" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"update_time" timestamp (3) with time zone DEFAULT now() NOT NULL
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
ALTER TABLE "order_items" ADD CONSTRAINT "order_items_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "orders_number" ON "orders" USING btree ("number");--> statement-breakpoint
CREATE INDEX "orders_customer" ON "orders" USING btree ("customer_id","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "orders_initiate_due" ON "orders" USING btree ("initiate_due_time");--> statement-breakpoint
CREATE INDEX "held_event_key" ON "held_event" USING btree ("consumer","key","topic","id");--> statement-breakpoint
CREATE INDEX "held_event_due" ON "held_event" USING btree ("consumer","due_time") WHERE "held_event"."state" = 'waiting';--> statement-breakpoint
CREATE INDEX "outbox_shard_id" ON "outbox" USING btree ("shard","id");
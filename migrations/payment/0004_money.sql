CREATE TABLE "disputes" (
	"id" text PRIMARY KEY NOT NULL,
	"payment_id" uuid NOT NULL,
	"currency_code" text NOT NULL,
	"minor_units" bigint NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"snapshot_time" timestamp (3) with time zone NOT NULL,
	"create_time" timestamp (3) with time zone NOT NULL,
	"update_time" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "refunds" (
	"id" uuid PRIMARY KEY NOT NULL,
	"payment_id" uuid NOT NULL,
	"source" text,
	"requested_minor_units" bigint,
	"currency_code" text NOT NULL,
	"minor_units" bigint NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"failure_reason" text DEFAULT '' NOT NULL,
	"stripe_refund_id" text,
	"idempotency_key" text NOT NULL,
	"params" json,
	"call_status" text NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"due_time" timestamp (3) with time zone,
	"look_time" timestamp (3) with time zone,
	"snapshot_time" timestamp (3) with time zone,
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
ALTER TABLE "payment_attempts" ADD COLUMN "customer_id" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "payment_attempts" ADD COLUMN "look_time" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "payment_attempts" ADD COLUMN "refuse_time" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "received_minor_units" bigint;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "review_reason" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "check_due_time" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "check_tries" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_payment_id_payments_id_fk" FOREIGN KEY ("payment_id") REFERENCES "public"."payments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_payment_id_payments_id_fk" FOREIGN KEY ("payment_id") REFERENCES "public"."payments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "disputes_payment" ON "disputes" USING btree ("payment_id");--> statement-breakpoint
CREATE UNIQUE INDEX "refunds_source" ON "refunds" USING btree ("source");--> statement-breakpoint
CREATE UNIQUE INDEX "refunds_stripe_refund" ON "refunds" USING btree ("stripe_refund_id");--> statement-breakpoint
CREATE INDEX "refunds_payment" ON "refunds" USING btree ("payment_id","create_time");--> statement-breakpoint
CREATE INDEX "refunds_due" ON "refunds" USING btree ("due_time");--> statement-breakpoint
CREATE INDEX "timeline_entries_order" ON "timeline_entries" USING btree ("order_id","id");--> statement-breakpoint
CREATE INDEX "payment_attempts_refused" ON "payment_attempts" USING btree ("customer_id","refuse_time") WHERE "payment_attempts"."refuse_time" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "payments_status" ON "payments" USING btree ("status","id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "payments_check_due" ON "payments" USING btree ("check_due_time") WHERE "payments"."check_due_time" IS NOT NULL;--> statement-breakpoint
-- What was taken before this was counted, and what waits at Stripe without being looked at.
UPDATE "payments" SET "received_minor_units" = "minor_units" WHERE "status" = 'SUCCEEDED';--> statement-breakpoint
UPDATE "payments" SET "check_due_time" = now() WHERE "payment_intent_id" IS NOT NULL AND "status" NOT IN ('SUCCEEDED', 'CANCELLED', 'REVIEW');--> statement-breakpoint
UPDATE "payment_attempts" SET "customer_id" = "payments"."customer_id" FROM "payments" WHERE "payments"."id" = "payment_attempts"."payment_id";

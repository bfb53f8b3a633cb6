DROP INDEX "orders_initiate_due";--> statement-breakpoint
ALTER TABLE "orders" DROP COLUMN "initiate_due_time";--> statement-breakpoint
ALTER TABLE "orders" DROP COLUMN "initiate_tries";
// What a consumer does with an event while it is measured: one row, as a small handler would write it.
import { sql } from "drizzle-orm";
import { type OrderEvent, OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import type { Subscription } from "../../src/platform/events/subscription.ts";
import type { OpenGround } from "./ground.ts";

export async function makeEffects(ground: OpenGround): Promise<void> {
  await ground.sql`
    CREATE TABLE effect (event_id uuid PRIMARY KEY, order_id uuid NOT NULL, number text NOT NULL)`;
}

/** `onEffect` hears of each effect before its transaction commits. */
export function effectSubscription(onEffect: (eventId: string, orderId: string) => void) {
  const subscription: Subscription = {
    schema: OrderEventSchema,
    async handle(tx, message, meta) {
      const event = message as OrderEvent;
      const number = event.event.case === "orderCreated" ? event.event.value.number : "";
      await tx.execute(sql`
        INSERT INTO effect (event_id, order_id, number)
        VALUES (${meta.eventId}::uuid, ${event.orderId}::uuid, ${number})`);
      onEffect(meta.eventId, event.orderId);
      return { outcome: "applied" };
    },
  };
  return subscription;
}

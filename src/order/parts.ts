// What the rooms of the Order service are given.
import type { Client } from "@connectrpc/connect";
import type { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Backbone } from "../platform/backbone.ts";
import type { Log } from "../platform/log.ts";
import type { OrderWatch } from "./watch.ts";

export interface OrderParts extends Pick<Backbone, "db" | "outbox" | "inTransaction"> {
  readonly payments: Client<typeof PaymentService>;
  readonly watch: OrderWatch;
  /** How long an order may stay unpaid, in milliseconds. */
  readonly expireAfterMs: number;
  readonly log: Log;
}

/** What goes along with a call to the Payment service. */
export interface PaymentCall {
  /** The customer in whose name it is asked; a worker asks in its own. */
  readonly onBehalfOf?: string;
  /** What is left of the caller's time, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

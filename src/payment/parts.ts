// What the work of the Payment service stands on.
import type { Backbone } from "../platform/backbone.ts";
import type { Log } from "../platform/log.ts";
import type { AttemptLimits, Pace } from "./config.ts";
import type { StripeRoom } from "./stripe/room.ts";

export interface PaymentParts extends Pick<Backbone, "db" | "outbox" | "inTransaction"> {
  readonly stripe: StripeRoom;
  readonly log: Log;
  readonly limits: AttemptLimits;
  readonly pace: Pace;
  /** The name of this deployment, written into Stripe's objects: another one's are left alone. "" where it has none. */
  readonly environment: string;
}

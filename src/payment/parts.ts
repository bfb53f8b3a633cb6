// What the work of the Payment service stands on.
import type { Backbone } from "../platform/backbone.ts";
import type { Log } from "../platform/log.ts";
import type { AttemptLimits, Pace } from "./config.ts";
import type { StripeRoom } from "./stripe/room.ts";

/** How long a call to Stripe, or a look at it, has before a worker makes it again, in milliseconds. Twice at once is harmless. */
export const LEASE_MS = 10_000;

export interface PaymentParts extends Pick<Backbone, "db" | "outbox" | "inTransaction"> {
  readonly stripe: StripeRoom;
  readonly log: Log;
  readonly limits: AttemptLimits;
  readonly pace: Pace;
  /** The name of this deployment, written into Stripe's objects: another one's are left alone. "" where it has none. */
  readonly environment: string;
}

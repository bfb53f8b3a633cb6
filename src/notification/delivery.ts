// The rules of delivery: what a provider's answer, or its silence, means for a message. Pure.
import type { NotificationStatus } from "../../gen/waybill/notification/v1/notification_pb.js";

export type DeliveryState = Exclude<keyof typeof NotificationStatus, "UNSPECIFIED">;
export type Channel = "EMAIL" | "SMS";

/** How asking a provider ended. */
export type SendResult =
  | { readonly outcome: "accepted"; readonly providerMessageId: string }
  /** Not sent, and never will be. */
  | { readonly outcome: "refused"; readonly reason: string }
  /** Not sent; ask again after `waitMs` milliseconds, or when the back-off says. */
  | { readonly outcome: "later"; readonly reason: string; readonly waitMs?: number }
  /** Nobody knows whether it was sent. */
  | { readonly outcome: "unknown"; readonly reason: string };

export type NextStep =
  | { readonly status: "SENT"; readonly providerMessageId: string }
  | { readonly status: "QUEUED"; readonly reason: string; readonly dueInMs: number }
  | { readonly status: "FAILED" | "AMBIGUOUS"; readonly reason: string };

/** Resend keeps an idempotency key for 24 hours; an hour is kept for clocks and queues. https://resend.com/docs/dashboard/emails/idempotency-keys */
export const KEY_LIFE_MS = 23 * 3_600_000;
const WAITS_MS = [1000, 2000, 5000, 15_000, 60_000, 300_000];
const LONGEST_WAIT_MS = 1_800_000;

/**
 * What becomes of a message. A mail whose fate is unknown is repeated with its key, as long as the key protects it. An SMS has no
 * key: a second one would be worse than none, so it is AMBIGUOUS.
 */
export function afterSending(
  message: { readonly channel: Channel; readonly attemptCount: number; readonly ageMs: number },
  result: SendResult,
): NextStep {
  const dueInMs = WAITS_MS[message.attemptCount - 1] ?? LONGEST_WAIT_MS;
  switch (result.outcome) {
    case "accepted":
      return { status: "SENT", providerMessageId: result.providerMessageId };
    case "refused":
      return { status: "FAILED", reason: result.reason };
    case "later":
      if (message.ageMs > KEY_LIFE_MS)
        return { status: "FAILED", reason: `given up: ${result.reason}` };
      return { status: "QUEUED", reason: result.reason, dueInMs: result.waitMs ?? dueInMs };
    case "unknown":
      if (message.channel === "SMS" || message.ageMs > KEY_LIFE_MS)
        return { status: "AMBIGUOUS", reason: result.reason };
      return { status: "QUEUED", reason: result.reason, dueInMs };
    default:
      return result satisfies never;
  }
}

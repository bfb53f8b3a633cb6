// Keeps card testers out: how many refused attempts an order and a customer may have in an hour.
import type { Transaction } from "../platform/database/open.ts";
import { Refusal } from "../platform/refusal.ts";
import type { AttemptLimits } from "./config.ts";
import { REFUSAL_WINDOW_MS, refusalWaitMs } from "./schedule.ts";
import { listRefusals } from "./store.ts";

/** Refuses, with resource_exhausted, another attempt after too many refused ones. It says when the next one is let in. */
export async function mustBeUnderLimits(
  tx: Transaction,
  limits: AttemptLimits,
  of: { readonly customerId: string; readonly paymentId?: string },
): Promise<void> {
  const { customerId, paymentId } = of;
  const waits = await Promise.all([
    waitOf(tx, { customerId }, limits.refusedPerCustomer),
    paymentId === undefined ? 0 : waitOf(tx, { paymentId }, limits.refusedPerOrder),
  ]);
  const retryAfterMs = Math.max(...waits);
  if (retryAfterMs > 0)
    throw new Refusal(
      "resource_exhausted",
      "too many attempts to pay were refused: wait before the next one",
      { reason: "TOO_MANY_REFUSED_ATTEMPTS", retryAfterMs },
    );
}

async function waitOf(
  tx: Transaction,
  of: { readonly paymentId: string } | { readonly customerId: string },
  limit: number,
): Promise<number> {
  const refusals = await listRefusals(tx, of, { windowMs: REFUSAL_WINDOW_MS, limit });
  return refusalWaitMs(
    refusals.map((time) => time.getTime()),
    limit,
    Date.now(),
  );
}

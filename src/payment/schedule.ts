// When something is tried again, and when not any more. Pure: no clock.

const HOUR_MS = 3_600_000;

/** Stripe may forget an idempotency key after 24 hours; an hour is kept for clocks. https://docs.stripe.com/api/idempotent_requests */
const KEY_LIFE_MS = 23 * HOUR_MS;

/** Whether a call of this age may be repeated: once its key is forgotten, the same call would charge a second time. */
export const mayRepeat = (ageMs: number): boolean => ageMs < KEY_LIFE_MS;

const FIRST_WAITS_MS = [1000, 2000, 5000, 10_000, 20_000];
const LATER_WAITS_MS = [30_000, 120_000, 600_000, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];

/** How long to wait before the next try to settle a lost call, in milliseconds, after `tries` of them. */
export const settleWaitMs = (tries: number): number =>
  [...FIRST_WAITS_MS, ...LATER_WAITS_MS][tries] ?? 24 * HOUR_MS;

/** The first wait of the checks, in milliseconds, where no setting says otherwise. */
export const FIRST_CHECK_MS = 30_000;

/** How long until a PaymentIntent that waits for somebody is looked at again, in milliseconds; `firstMs` scales all of them. */
export function checkWaitMs(tries: number, firstMs: number): number {
  const waitMs = LATER_WAITS_MS[tries] ?? 24 * HOUR_MS;
  return (waitMs * firstMs) / FIRST_CHECK_MS;
}

/** Refused attempts are counted for so long, in milliseconds. */
export const REFUSAL_WINDOW_MS = HOUR_MS;

/**
 * After how many milliseconds another attempt is let in: 0, or when the limit's oldest refusal leaves the window.
 * `refusals`: when attempts were refused in the window, in milliseconds, the newest first.
 */
export function refusalWaitMs(refusals: readonly number[], limit: number, now: number): number {
  const oldest = refusals[limit - 1];
  return oldest === undefined ? 0 : Math.max(1, oldest + REFUSAL_WINDOW_MS - now);
}

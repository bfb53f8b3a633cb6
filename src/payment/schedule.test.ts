import { expect, it } from "vitest";
import { checkWaitMs, FIRST_CHECK_MS, mayRepeat, refusalWaitMs, settleWaitMs } from "./schedule.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

it("a lost call is not repeated once Stripe may have forgotten its key", () => {
  expect(mayRepeat(22 * HOUR_MS)).toBe(true);
  expect(mayRepeat(23 * HOUR_MS)).toBe(false);
});

it("a lost call is settled soon, then ever more rarely, and at least once a day", () => {
  const waits = Array.from({ length: 14 }, (_, tries) => settleWaitMs(tries));

  expect(waits.slice(0, 6)).toEqual([1000, 2000, 5000, 10_000, 20_000, 30_000]);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.at(-1)).toBe(DAY_MS);
});

it("a PaymentIntent that waits is looked at after 30 s, 2 min, 10 min, 1 h, 6 h, and then every day", () => {
  const waits = Array.from({ length: 8 }, (_, tries) => checkWaitMs(tries, FIRST_CHECK_MS));

  expect(waits.map((ms) => ms / 1000)).toEqual([
    30, 120, 600, 3600, 21_600, 86_400, 86_400, 86_400,
  ]);
  expect(checkWaitMs(1, 300)).toBe(1200);
});

it.each([
  ["none were refused", [], 2, 0],
  ["fewer than the limit were refused", [90], 2, 0],
  ["the limit is reached: until the oldest that counts is an hour old", [90, 40], 2, HOUR_MS - 60],
  ["older ones do not count", [90, 80, 10], 2, HOUR_MS - 20],
])("another attempt is let in when %s", (_when, refusals, limit, waitMs) => {
  expect(refusalWaitMs(refusals, limit, 100)).toBe(waitMs);
});

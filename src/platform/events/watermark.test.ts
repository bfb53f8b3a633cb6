// The watermark: nothing is committed that is not done, nor anything after it.
import { expect, test } from "vitest";
import { Watermark } from "./watermark.ts";

test("nothing is committed while the first record is not done", () => {
  const watermark = new Watermark([10n, 11n, 12n]);
  watermark.done(11n);
  watermark.done(12n);
  expect(watermark.next()).toBeUndefined();
});

test("what is done in any order is committed up to the first gap", () => {
  const watermark = new Watermark([10n, 11n, 12n, 13n]);
  watermark.done(11n);
  watermark.done(10n);
  watermark.done(13n);
  expect(watermark.next()).toBe(12n);
  watermark.done(12n);
  expect(watermark.next()).toBe(14n);
  expect(watermark.next()).toBe(14n);
});

test("gaps in the offsets, as compaction leaves them, are no gaps in the work", () => {
  const watermark = new Watermark([3n, 7n, 40n]);
  watermark.done(3n);
  watermark.done(7n);
  expect(watermark.next()).toBe(8n);
  watermark.done(40n);
  expect(watermark.next()).toBe(41n);
});

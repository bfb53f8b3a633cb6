// The first and the last time of a Timestamp are dates that a database can store.
import { timestampFromDate, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { dateOf } from "./time.ts";

test.each([
  [{ seconds: 253_402_300_799n, nanos: 999_999_999 }, "9999-12-31T23:59:59.999Z"],
  [{ seconds: -62_135_596_800n, nanos: 0 }, "0001-01-01T00:00:00.000Z"],
  [{ seconds: -1n, nanos: 500_000_000 }, "1969-12-31T23:59:59.500Z"],
])("%o is %s", (time, date) => {
  expect(dateOf(create(TimestampSchema, time)).toISOString()).toBe(date);
});

test("what a date became comes back", () => {
  const date = new Date("2026-11-24T01:02:03.456Z");

  expect(dateOf(timestampFromDate(date))).toEqual(date);
});

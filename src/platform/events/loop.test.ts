// Back-off, and topics that are not there.
import { expect, test } from "vitest";
import { backoffMs } from "./loop.ts";
import { createTopicRests } from "./topic-rest.ts";

test("the rest after failures grows from 100 ms to 5 s, and is never the same for all", () => {
  const longest = [1, 2, 3, 6, 7, 1000].map((failures) => backoffMs(failures, () => 1));
  expect(longest).toEqual([100, 200, 400, 3200, 5000, 5000]);
  expect(backoffMs(1, () => 0)).toBe(50);
});

test("a missing topic is left alone, tried again, and given up after a minute", () => {
  let now = 0;
  const rests = createTopicRests(() => now);
  expect(rests.mayAppear("a")).toBe(true);
  expect(rests.resting()).toEqual(["a"]);
  now = 6_000;
  expect(rests.resting()).toEqual([]);
  expect(rests.mayAppear("a")).toBe(true);
  now = 61_000;
  expect(rests.mayAppear("a")).toBe(false);
  rests.taken("a");
  expect(rests.mayAppear("a")).toBe(true);
});

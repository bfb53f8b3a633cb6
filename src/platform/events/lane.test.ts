// Lanes: order within a key, independence between keys.
import { expect, test } from "vitest";
import { chunksByLane, createLanes } from "./lane.ts";

test("work of one lane follows in the order in which it came, also after a failure", async () => {
  const lanes = createLanes(2);
  const seen: number[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lanes.run(0, async () => {
    await gate.promise;
    seen.push(1);
    throw new Error("failed");
  });
  const second = lanes.run(0, async () => void seen.push(2));
  await lanes.run(1, async () => void seen.push(0)); // another lane does not wait
  gate.resolve();
  await expect(first).rejects.toThrow("failed");
  await second;
  expect(seen).toEqual([0, 1, 2]);
});

test("chunks keep the order of a lane and their limit", () => {
  const chunks = chunksByLane([1, 2, 3, 4, 5, 6, 7], (item) => item % 2, 2);
  expect(chunks.get(1)).toEqual([
    [1, 3],
    [5, 7],
  ]);
  expect(chunks.get(0)).toEqual([[2, 4], [6]]);
});

// The hash of keys is stored in rows: it must never change.
import { expect, test } from "vitest";
import { keyHash, shardOf, SHARDS } from "./key-hash.ts";

test("a key has the same hash in every release", () => {
  expect(keyHash("")).toBe(1572119809);
  expect(keyHash("0198c3f2-7b1a-7c3e-9f10-0123456789ab")).toBe(2115088304);
  expect(keyHash("größe")).toBe(900614089);
});

test("keys that differ in one digit spread over all shards", () => {
  const counts = new Map<number, number>();
  for (let i = 0; i < 1600; i += 1) {
    const shard = shardOf(`0198c3f2-7b1a-7c3e-9f10-${String(i).padStart(12, "0")}`);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }
  expect(counts.size).toBe(SHARDS);
  expect(Math.min(...counts.values())).toBeGreaterThan(60);
  expect(Math.max(...counts.values())).toBeLessThan(140);
});

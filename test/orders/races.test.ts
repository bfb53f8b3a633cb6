// Whoever races whom, an order has one outcome: it is paid and charged once, or it is closed and nobody was charged.
import { describe, expect, inject, test } from "vitest";
import { RACES } from "../harness/races.ts";

const place = inject("shared");
const ROUNDS = 20;

describe("a race", () => {
  test.each(Object.entries(RACES))("of %s has one outcome each time", async (_name, race) => {
    const { outcomes, wrong } = await race(place, { rounds: ROUNDS });

    expect(wrong).toEqual([]);
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(ROUNDS);
  });
});

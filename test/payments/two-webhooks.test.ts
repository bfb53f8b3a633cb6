// Two webhooks at once are no two payments.
import { expect, inject, test } from "vitest";
import { twoWebhooks } from "../harness/races-webhook.ts";
import { faultsUntilDone } from "../harness/sandbox.ts";

const place = inject("shared");
const ROUNDS = 20;

test("all webhooks of a payment at once, each of them twice, make the order PAID once", async () => {
  await using _faults = faultsUntilDone(place);

  const { outcomes, wrong } = await twoWebhooks(place, { rounds: ROUNDS });

  expect(wrong).toEqual([]);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(ROUNDS);
});

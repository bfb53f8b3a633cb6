// The promise: whatever is in a field, the answer says what is wrong and where, nothing is stored, and nothing breaks.
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { casesOf } from "./fuzz/cases.ts";
import { openRows, type Rows } from "./fuzz/rows.ts";
import { inTurn, storedBy, tryAll, type Tried } from "./fuzz/run.ts";
import { closeGrpc } from "./fuzz/send.ts";
import { openTargets } from "./fuzz/targets.ts";
import { query } from "./harness/rows.ts";

const place = inject("shared");
const targets = await openTargets(place);
const refused: Tried[] = [];
const skus = async (): Promise<string[]> =>
  (await query<{ sku: string }>(place, "order", "select sku from products")).map(({ sku }) => sku);
const sold = await skus();
let rows: Rows;
beforeAll(async () => {
  rows = await openRows(place);
});
afterAll(async () => {
  closeGrpc();
  await rows[Symbol.asyncDispose]();
  // The price book is everybody's: the tests that follow count on it.
  const added = (await skus()).filter((sku) => !sold.includes(sku));
  for (const sku of added)
    await query(place, "order", "delete from products where sku = $1", [sku]);
});

test.each(targets.map((target) => [target.method.name, target] as const))(
  "%s answers every field's wrong values with the field, and never with an error of its own",
  async (_, target) => {
    const { tried, complaints } = await tryAll(inTurn(casesOf(target)));
    refused.push(...tried.filter(({ told }) => told.code === "invalid_argument"));

    expect(complaints).toEqual([]);
    expect(tried.length).toBeGreaterThan(10);
  },
);

test("what was refused stored nothing", async () => {
  expect(refused.length).toBeGreaterThan(500);

  expect(await storedBy(rows, refused)).toEqual([]);
});

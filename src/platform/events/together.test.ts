import { expect, test } from "vitest";
import { together } from "./together.ts";

const failed = (code: string): Promise<never> =>
  Promise.reject(Object.assign(new Error(code), { code }));
const wrapped = (code: string): Promise<never> =>
  Promise.reject(new Error("Failed query", { cause: Object.assign(new Error(code), { code }) }));

test("gives what each statement gave", async () => {
  expect(await together([Promise.resolve(1), "two", Promise.resolve([3])])).toEqual([
    1,
    "two",
    [3],
  ]);
});

test("runs each statement once, though the query builder's run whenever they are asked", async () => {
  let runs = 0;
  const lazy: PromiseLike<number> = {
    // oxlint-disable-next-line unicorn/no-thenable
    then: (resolve, reject) => Promise.resolve((runs += 1)).then(resolve, reject),
  };
  expect(await together([lazy, lazy])).toEqual([1, 2]);
  expect(runs).toBe(2);
});

test("throws what broke the transaction, though the statements behind it are heard of first", async () => {
  const deadlock = new Promise((resolve) => setImmediate(resolve)).then(() => failed("40P01"));
  await expect(together([deadlock, wrapped("25P02"), failed("25P02")])).rejects.toThrow("40P01");
});

test("throws something, when all it has is of a transaction that had failed before", async () => {
  await expect(together([failed("25P02")])).rejects.toThrow("25P02");
});

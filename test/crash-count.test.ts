// The promise: an event that ends the process three times is set aside, and no innocent one with it.
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createCrashCount, type CrashCount } from "../src/platform/events/crash-count.ts";
import { openOwnDatabase, type OwnDatabase } from "./harness/own-database.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let database: OwnDatabase;
beforeAll(async () => {
  database = await openOwnDatabase(inject("servers"));
});
afterAll(() => database?.[Symbol.asyncDispose]());

/** Each process has a count of its own; when it is dropped without a word, the process was killed. */
const newProcess = (): CrashCount => createCrashCount(database.db, "test", silent);
const crashesSeen = (count: CrashCount, id: string): Promise<number> =>
  count.alone(id, (crashes) => Promise.resolve(crashes));

test("what a killed process had begun is applied alone by the next ones, who know how many died", async () => {
  const [poison, neighbour] = [v7(), v7()];
  expect(await newProcess().begin([poison, neighbour])).toEqual(new Set());

  for (const died of [1, 2, 3]) {
    const next = newProcess();
    const suspects = await next.begin([poison, neighbour]);
    expect(suspects).toEqual(new Set([poison, neighbour]));
    expect(await crashesSeen(next, poison)).toBe(died);
  }
  expect(await crashesSeen(newProcess(), neighbour)).toBe(1);
});

test("suspects are applied one at a time, so that the guilty one is known", async () => {
  const ids = [v7(), v7()] as const;
  await newProcess().begin(ids);
  const next = newProcess();
  await next.begin(ids);
  let running = 0;
  const most: number[] = [];
  const work = async (): Promise<void> => {
    most.push((running += 1));
    await new Promise(setImmediate);
    running -= 1;
  };
  await Promise.all(ids.map((id) => next.alone(id, work)));
  expect(most).toEqual([1, 1]);
});

test("an error that passes is no crash, nor is a stop in order", async () => {
  const [failed, stopped] = [v7(), v7()];
  const process = newProcess();
  await process.begin([failed, stopped]);
  await process.left([failed]);
  await process.leaveAll();

  expect(await newProcess().begin([failed, stopped])).toEqual(new Set());
});

test("a process counts once, however often it tries", async () => {
  const id = v7();
  await newProcess().begin([id]);
  const process = newProcess();
  for (let tries = 0; tries < 5; tries += 1) {
    await process.begin([id]);
    expect(await crashesSeen(process, id)).toBe(1);
  }
});

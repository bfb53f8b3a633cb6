// Work that goes on when its caller has gone.
import { expect, test } from "vitest";
import { outliving } from "./outlive.ts";

test("a stop waits for work whose caller has gone", async () => {
  const work = outliving();
  const { promise, resolve } = Promise.withResolvers<void>();
  let done = false;
  void work.run(async () => {
    await promise;
    done = true;
  });

  const stopped = work[Symbol.asyncDispose]();
  expect(work.running).toBe(1);
  resolve();
  await stopped;

  expect(done).toBe(true);
  expect(work.running).toBe(0);
});

test("who awaits the work gets what it gives, or how it failed", async () => {
  await using work = outliving();

  expect(await work.run(() => Promise.resolve(7))).toBe(7);
  await expect(work.run(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
});

test("work that does not end in time is told of, not waited for longer", async () => {
  const work = outliving(1);
  void work.run(() => new Promise(() => undefined));

  await expect(work[Symbol.asyncDispose]()).rejects.toThrow(/still running/);
});

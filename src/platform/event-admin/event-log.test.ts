// What of the broker's failures passes, and what does not.
import { expect, test } from "vitest";
import type { EventLog } from "../events/ports.ts";
import { isTransient } from "../transient.ts";
import { passingFailures } from "./event-log.ts";

const away = () => Promise.reject(new Error("no broker"));
const signal = new AbortController().signal;
const read = { topic: "t", ranges: new Map(), signal, onRecords: () => Promise.resolve() };

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "none",
    (error: unknown) => error,
  );

test("a broker that does not answer is a failure that passes", async () => {
  const log = passingFailures({ ranges: away, committed: away, read: away });

  for (const call of [log.ranges("t"), log.committed("g", "t"), log.read(read)]) {
    const failure = await failureOf(call);
    expect(isTransient(failure)).toBe(true);
    expect(String(failure)).toContain("no broker");
  }
});

test("what the reader of the records throws stays what it is", async () => {
  const asked: EventLog["read"] = (o) => o.onRecords([]);
  const log = passingFailures({ ranges: away, committed: away, read: asked });
  const bug = new Error("a bug");

  const failure = await failureOf(log.read({ ...read, onRecords: () => Promise.reject(bug) }));

  expect(failure).toBe(bug);
  expect(isTransient(failure)).toBe(false);
});

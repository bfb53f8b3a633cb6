// The conformance suite of the event ports: whatever speaks to a broker for this event layer passes it as it is.
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Adapter, AdapterUnderTest, Case } from "./adapter.ts";
import { consuming } from "./consuming.ts";
import { failing } from "./failing.ts";
import { grouping } from "./grouping.ts";
import { looking } from "./looking.ts";
import { publishing } from "./publishing.ts";

/** Registers the tests. Those that disturb nobody run at the same time. */
export function describeConformance(name: string, adapter: AdapterUnderTest): void {
  describe(`the event ports on ${name}`, () => {
    let opened: Adapter | undefined;
    beforeAll(async () => {
      opened = await adapter.open();
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());
    const register = ({ name: promise, needs, run }: Case): void =>
      test(promise, async ({ skip }) => {
        const reason = needs && adapter.lacks[needs];
        skip(reason !== undefined, reason);
        if (opened === undefined) throw new Error("The adapter is not open.");
        await run(opened);
      });
    describe("while all is well", { concurrent: true }, () => {
      describe("a producer", () => publishing.forEach(register));
      describe("a consumer", () => consuming.forEach(register));
      describe("consumer groups", () => grouping.forEach(register));
      describe("a log", () => looking.forEach(register));
    });
    describe("when the broker", () => failing.forEach(register));
  });
}

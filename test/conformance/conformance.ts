// The conformance suite of the event ports: whatever speaks to a broker for this event layer passes it as it is.
import { afterAll, beforeAll, describe } from "vitest";
import type { Adapter, AdapterUnderTest, Bench } from "./adapter.ts";
import { describeConsuming } from "./consuming.ts";
import { describeFailing } from "./failing.ts";
import { describeGrouping } from "./grouping.ts";
import { describeLooking } from "./looking.ts";
import { describePublishing } from "./publishing.ts";

/** Tests that disturb nobody run at the same time; each has topics and groups of its own. */
export function describeConformance(name: string, { open, lacks }: AdapterUnderTest): void {
  describe(`the event ports on ${name}`, () => {
    let opened: Adapter | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.[Symbol.asyncDispose]());
    const bench: Bench = {
      adapter() {
        if (opened === undefined) throw new Error("The adapter is not open.");
        return opened;
      },
      needs: (test, ability) => test.skip(lacks[ability] !== undefined, lacks[ability]),
    };
    describe("while all is well", { concurrent: true }, () => {
      describePublishing(bench);
      describeConsuming(bench);
      describeGrouping(bench);
      describeLooking(bench);
    });
    describeFailing(bench);
  });
}

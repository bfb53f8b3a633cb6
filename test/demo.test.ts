// The promise: each story of `npm run demo` comes to its end on a running stack, with the money where it belongs.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { faultsUntilDone } from "./harness/sandbox.ts";

const DEMO = fileURLToPath(new URL("../dev/demo/main.ts", import.meta.url));
const place = inject("shared");

/** What the demo prints; rejects unless it ends well. */
async function demo(...stories: readonly string[]): Promise<string> {
  const env = { ...process.env, WAYBILL_HOME: place.home, WAYBILL_NAMESPACE: place.namespace };
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO, ...stories], { env });
  return stdout;
}

test.for([
  [
    "declined",
    ["ORDER_STATUS_FAILED", "ORDER_STATUS_PAID", "1 charge(s), 4900 charged, 0 refunded"],
  ],
  ["threeds", ["PAYMENT_STATUS_REQUIRES_ACTION", "ORDER_STATUS_PAID"]],
  ["refund", ["Refund for your order", "1 charge(s), 4900 charged, 4900 refunded"]],
  ["late-money", ["ORDER_STATUS_CANCELLED", "is returned", "4900 charged, 4900 refunded"]],
  ["lost-response", ["PAYMENT_STATUS_UNKNOWN", "1 charge(s), 4900 charged, 0 refunded"]],
] as const)("the story %s", async ([story, lines]) => {
  await using _faults = faultsUntilDone(place);
  const told = await demo(story);
  for (const line of lines) expect(told).toContain(line);
});

test("a story that there is not says which there are", async () => {
  await expect(demo("nonsense")).rejects.toThrow("late-money");
});

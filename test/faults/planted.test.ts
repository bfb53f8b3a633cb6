// The promise: the proof sees. With a defect planted into the event layer it fails, each time in the right way; without, it does not.
import { describe, expect, inject, test } from "vitest";
import { SHOWS, tryDefect } from "./layer/defects.ts";
import { DEFECT_NAMES } from "./plant/plants.ts";

const SEED = 7;
const LIMIT_MS = 90_000;
const servers = inject("servers");

describe("in rough weather", { timeout: LIMIT_MS }, () => {
  test.concurrent("nothing is lost, doubled or out of order", async () => {
    const { findings } = await tryDefect(servers, undefined, SEED);

    expect(findings).toEqual([]);
  });

  test.concurrent.each(DEFECT_NAMES)("the defect %s shows", async (defect) => {
    const { findings } = await tryDefect(servers, defect, SEED);

    expect(findings.map(({ wrong }) => wrong)).toEqual(expect.arrayContaining([...SHOWS[defect]]));
  });
});

// The promise: the proof sees. With a defect planted into the event layer it fails, each time in the right way; without, it does not.
import { describe, expect, inject, test } from "vitest";
import { NONE, SHOWS, tryCases, type Case } from "./layer/defects.ts";
import { DEFECT_NAMES } from "./plant/plants.ts";

const SEED = 7;
/** Worlds in one process. */
const AT_ONCE = 5;
const LIMIT_MS = 120_000;
const servers = inject("servers");
const cases: readonly Case[] = [NONE, ...DEFECT_NAMES];

describe.each(inGroups(cases, AT_ONCE))("in rough weather, group %#", (...group) => {
  test(
    "nothing is wrong without a defect, and each defect shows",
    { timeout: LIMIT_MS },
    async () => {
      const found = await tryCases(servers, group, SEED);

      for (const one of group) {
        const findings = found.get(one) ?? [];
        if (one === NONE) expect(findings, one).toEqual([]);
        else
          expect(
            findings.map(({ wrong }) => wrong),
            one,
          ).toEqual(expect.arrayContaining([...SHOWS[one]]));
      }
    },
  );
});

function inGroups<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}

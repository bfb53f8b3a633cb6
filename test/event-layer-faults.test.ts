// The event layer under faults of its own, in short: it dies at its seams, it meets poison, and what is defective about it shows.
import { expect, inject, test } from "vitest";
import { NONE } from "./faults/layer/defects.ts";
import { poison } from "./faults/layer/poison.ts";
import { SEAMS, strikeSeams } from "./faults/layer/seams.ts";
import { whatIsHidden } from "./faults/planted-defects.ts";

const LIMIT_MS = 240_000;
const STRIKES = 10;
/** The others are in `npm run faults -- --only D`. */
const CASES = [NONE, "inbox.off", "lease.off", "outbox.elsewhere", "outbox.later"] as const;
/** Of a run that failed: FAULT_SEED=4711 npm test -- test/event-layer-faults.test.ts */
const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const servers = inject("servers");

// The first two beside each other: much of the time they wait for leases and sessions of the dead.
test.concurrent(
  `processes die ${STRIKES} times at each seam: nothing is lost, doubled or out of order`,
  async ({ expect: expectHere }) => {
    const { findings, strikes } = await strikeSeams(servers, {
      strikes: STRIKES,
      withinMs: LIMIT_MS / 2,
      seed,
    });

    expectHere(findings, `seed ${seed}`).toEqual([]);
    for (const seam of SEAMS) expectHere(strikes[seam]).toBeGreaterThanOrEqual(STRIKES);
  },
  LIMIT_MS,
);

test.concurrent(
  "poison is set aside with its key, the others go on, and after the fix everything is done in order",
  async ({ expect: expectHere }) => {
    const settings = { events: 240, perSecond: 80, poisonEvery: 50, keys: 20 };

    const { findings, dead } = await poison(servers, { ...settings, seed });

    expectHere(findings, `seed ${seed}`).toEqual([]);
    expectHere(dead).toBeGreaterThanOrEqual(4);
  },
  LIMIT_MS,
);

test(
  "in rough weather nothing is wrong; with the inbox, the lease or the outbox's transaction switched off, that shows",
  async () => expect(await whatIsHidden(servers, CASES, seed), `seed ${seed}`).toEqual([]),
  LIMIT_MS,
);

// F9: one event in 500 is poison: it is set aside with its key, the others go on, and after the fix everything is done.
import type { Fault } from "./fault.ts";
import { layerResult, serversOf } from "./layer-result.ts";
import { poison } from "./layer/poison.ts";

const PER_SECOND = 50;
const POISON_EVERY = 500;
/** One of each kind at least. */
const LEAST_EVENTS = 4 * POISON_EVERY;
const KEYS = 100;
const SEED_LIMIT = 2 ** 31;

export const poisonEvents: Fault = {
  id: "F9",
  title: `poison, 1 in ${POISON_EVERY}`,
  async run(rig, o) {
    const seed = o.random.branch("poison").between(1, SEED_LIMIT);
    const events = Math.max(LEAST_EVENTS, o.seconds * PER_SECOND);
    const run = await poison(serversOf(rig), {
      events,
      perSecond: PER_SECOND,
      poisonEvery: POISON_EVERY,
      keys: KEYS,
      seed,
    });
    return layerResult({
      ...run,
      again: 0,
      injected: `${run.dead} set aside, ${run.deaths} deaths`,
      measured: [{ what: "p99 of the others", value: run.othersP99Ms, unit: "ms" }],
    });
  },
};

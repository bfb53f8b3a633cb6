// F11: a newer writer beside older readers, which are restarted one after the other: a field, a status and a case more.
import type { Fault } from "./fault.ts";
import { layerResult, serversOf } from "./layer-result.ts";
import { mixVersions } from "./layer/mixed.ts";

const SEED_LIMIT = 2 ** 31;

export const newerWriter: Fault = {
  id: "F11",
  title: "a newer writer beside older readers",
  async run(rig, o) {
    const seed = o.random.branch("versions").between(1, SEED_LIMIT);
    const run = await mixVersions(serversOf(rig), { seconds: o.seconds, perSecond: o.rate, seed });
    return layerResult({
      ...run,
      again: 0,
      injected: `${run.newer} events of a newer contract`,
      measured: [],
    });
  },
};

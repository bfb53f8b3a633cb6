// F12: a snapshot that is ten minutes old, and a backlog of a million events: it is drained fast, and in order.
import type { Fault } from "./fault.ts";
import { layerResult, serversOf } from "./layer-result.ts";
import { drainBacklog } from "./layer/backlog.ts";

const SEED_LIMIT = 2 ** 31;
/** At the suite's usual 60 s: ten minutes and a million. */
const SNAPSHOT_S_PER_S = 10;
const EVENTS_PER_S = 16_667;
const FETCH_AIM_MS = 20;

export const oldSnapshot: Fault = {
  id: "F12",
  title: "a backlog behind an old snapshot",
  async run(rig, o) {
    const seed = o.random.branch("backlog").between(1, SEED_LIMIT);
    const snapshotSeconds = o.seconds * SNAPSHOT_S_PER_S;
    const events = o.seconds * EVENTS_PER_S;
    o.say(`${events} events behind a snapshot of ${snapshotSeconds} s`);
    const run = await drainBacklog(serversOf(rig), { snapshotSeconds, events, seed });
    return layerResult({
      findings: run.findings,
      happened: events,
      again: run.again,
      restMs: run.drainMs,
      injected: `a snapshot of ${snapshotSeconds} s`,
      measured: [
        { what: "drained", value: run.perSecond, unit: "events/s" },
        { what: "fetch p50", value: run.fetchP50Ms, unit: "ms" },
        { what: "fetch p99", value: run.fetchP99Ms, unit: "ms", aim: FETCH_AIM_MS },
      ],
    });
  },
};

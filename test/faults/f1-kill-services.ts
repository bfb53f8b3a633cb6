// F1: a random service of both replicas is killed every two seconds.
import { setTimeout as pause } from "node:timers/promises";
import { processIdentity } from "../../dev/process/identity.ts";
import { eventually } from "../harness/eventually.ts";
import type { Fault } from "./fault.ts";
import type { Replica } from "./replicas.ts";
import { underLoad } from "./under-load.ts";

const KILL_EVERY_MS = 2_000;
const BACK_WITHIN_MS = 60_000;
const BACK_AIM_S = 5;

export const killServices: Fault = {
  id: "F1",
  title: "kill -9 a random service every 2 s",
  run: (rig, o) =>
    underLoad(rig, o, async ({ left }) => {
      const chance = o.random.branch("victims");
      const returns: Promise<number>[] = [];
      while (left() > KILL_EVERY_MS) {
        await pause(KILL_EVERY_MS);
        const victim = chance.pick(rig.replicas.filter(isAlive));
        o.say(`kill -9 ${victim.name}`);
        await victim.signal("SIGKILL");
        returns.push(secondsUntilItServes(victim));
      }
      const seconds = await Promise.all(returns);
      const slowest = Math.max(0, ...seconds);
      return {
        injected: `${returns.length} kills`,
        measured: [{ what: "slowest restart", value: slowest, unit: "s", aim: BACK_AIM_S }],
      };
    }),
};

function isAlive(replica: Replica): boolean {
  return processIdentity(replica.pid()) !== undefined;
}

/** Seconds until the replica serves again. @throws when it does not */
export async function secondsUntilItServes(replica: Replica): Promise<number> {
  const began = performance.now();
  await eventually(
    async () => {
      if (!(await replica.serves())) throw new Error(`${replica.name} does not serve`);
    },
    { withinMs: BACK_WITHIN_MS },
  );
  return (performance.now() - began) / 1000;
}

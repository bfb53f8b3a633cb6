// F6: PostgreSQL is stopped in the middle of everything, as if the plug was pulled, and started again; every ten seconds.
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import type { Fault } from "./fault.ts";
import type { Replica } from "./replicas.ts";
import { underLoad } from "./under-load.ts";

const EVERY_MS = 10_000;
/** In a short run it is struck three times. */
const EVERY_SHARE = 1 / 3;
const SHORTEST_AWAY_MS = 0;
const LONGEST_AWAY_MS = 2_000;
const BACK_WITHIN_MS = 60_000;
const BACK_AIM_S = 3;

export const stopDatabase: Fault = {
  id: "F6",
  title: "immediate stop and restart of PostgreSQL every 10 s",
  run: (rig, o) =>
    underLoad(rig, o, async ({ left }) => {
      const chance = o.random.branch("outages");
      const everyMs = Math.min(EVERY_MS, o.seconds * 1000 * EVERY_SHARE);
      const returns: number[] = [];
      while (left() > 0) {
        const next = performance.now() + everyMs;
        await pause(chance.between(0, everyMs / 4));
        o.say("PostgreSQL stops");
        await rig.postgres.kill9();
        await pause(chance.between(SHORTEST_AWAY_MS, LONGEST_AWAY_MS));
        await rig.postgres.restart();
        returns.push(await secondsUntilAllServe(rig.replicas));
        o.say(`PostgreSQL is back; every pool works after ${returns.at(-1)?.toFixed(1)} s`);
        await pause(Math.max(0, next - performance.now()));
      }
      return {
        injected: `${returns.length} stops`,
        measured: [
          { what: "slowest pool", value: Math.max(...returns), unit: "s", aim: BACK_AIM_S },
        ],
      };
    }),
};

/** Seconds until every replica says that it serves: its database and its broker answer it. */
export async function secondsUntilAllServe(replicas: readonly Replica[]): Promise<number> {
  const began = performance.now();
  await eventually(
    async () => {
      const serve = await Promise.all(replicas.map((replica) => replica.serves()));
      const down = replicas.filter((_, place) => serve[place] === false);
      if (down.length > 0)
        throw new Error(`${down.map(({ name }) => name).join(", ")} do not serve`);
    },
    { withinMs: BACK_WITHIN_MS },
  );
  return (performance.now() - began) / 1000;
}

// F4: the broker is killed, and comes back ten seconds later; again and again.
import { setTimeout as pause } from "node:timers/promises";
import { STORES } from "../../dev/backends/databases.ts";
import { eventually } from "../harness/eventually.ts";
import type { Fault } from "./fault.ts";
import type { Rig } from "./rig.ts";
import { underLoad } from "./under-load.ts";

const AWAY_MS = 10_000;
/** In a short run it is away for a third of it. */
const AWAY_SHARE = 1 / 3;
const BETWEEN_MS = 3_000;
const DRAIN_WITHIN_MS = 60_000;
const DRAIN_AIM_S = 15;
/** The outbox counts as drained when nothing waits in it longer than that: orders keep coming. */
const FRESH_S = 2;

export const killBroker: Fault = {
  id: "F4",
  title: "kill -9 the broker, back after 10 s",
  run: (rig, o) =>
    underLoad(rig, o, async ({ left, load }) => {
      const awayMs = Math.min(AWAY_MS, o.seconds * 1000 * AWAY_SHARE);
      const drains: number[] = [];
      let taken = Infinity;
      do {
        await pause(BETWEEN_MS);
        const before = load.acceptedTimes.length;
        o.say("kill -9 the broker");
        await rig.kafka.kill9();
        await pause(awayMs);
        taken = Math.min(taken, load.acceptedTimes.length - before);
        await rig.kafka.restart();
        drains.push(await secondsUntilDrained(rig));
        o.say(`the broker is back; the outboxes are drained after ${drains.at(-1)?.toFixed(1)} s`);
      } while (left() > BETWEEN_MS + awayMs);
      return {
        injected: `${drains.length} kills`,
        wrong: taken > 0 ? [] : ["no order was accepted while the broker was away"],
        measured: [
          { what: "slowest drain", value: Math.max(...drains), unit: "s", aim: DRAIN_AIM_S },
          { what: "fewest orders accepted while it was away", value: taken, unit: "" },
        ],
      };
    }),
};

/** Seconds until no outbox holds an event that is older than a moment. @throws when that takes too long */
export async function secondsUntilDrained({ databases }: Rig): Promise<number> {
  const began = performance.now();
  const text = `select coalesce(extract(epoch from now() - min(create_time)), 0)::float8 as age from outbox`;
  await eventually(
    async () => {
      const rows = await Promise.all(
        STORES.map((store) => databases.ask<{ age: number }>(store, text)),
      );
      const oldest = Math.max(...rows.map(([row]) => row?.age ?? 0));
      if (oldest > FRESH_S) throw new Error(`an event waits in an outbox since ${oldest} s`);
    },
    { withinMs: DRAIN_WITHIN_MS },
  );
  return (performance.now() - began) / 1000;
}

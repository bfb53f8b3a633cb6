// F5: the way to the broker fails in every manner: blackhole, half-open, reset in the middle of a request, answers that are lost.
import { setTimeout as pause } from "node:timers/promises";
import { secondsUntilDrained } from "./f4-kill-broker.ts";
import type { Fault, FaultOptions, Measured } from "./fault.ts";
import { heapsOf, mostGrownMb } from "./heap.ts";
import { markLogs, type LogMark } from "./log-lines.ts";
import type { LinkMode } from "./proxy-link.ts";
import type { Random } from "./random.ts";
import type { Rig } from "./rig.ts";
import { underLoad, type Chaos } from "./under-load.ts";

/** Of the run's seconds: the blackhole takes them all, each of the others a part. */
const SHORTER = 1 / 4;
const DRAIN_AIM_S = 15;
const HEAP_AIM_MB = 50;
/** A back-off grows to 5 s within two seconds: so many steps a minute, for each of the two loops that need the broker. */
const ERRORS_A_MINUTE_AIM = 40;
const SHORTEST_REQUEST_BYTES = 100;
const LONGEST_REQUEST_BYTES = 20_000;

export const cutOffBroker: Fault = {
  id: "F5",
  title: "Kafka: blackhole, half-open, reset mid-request, lost answers",
  run: (rig, o) => underLoad(rig, o, (chaos) => cutOff(rig, o, chaos)),
};

async function cutOff(rig: Rig, o: FaultOptions, { load }: Chaos) {
  const chance = o.random.branch("cuts");
  const longMs = o.seconds * 1000;
  const drains: number[] = [];
  const healed = async (): Promise<void> => {
    rig.proxies.kafka.set({ kind: "pass" });
    drains.push(await secondsUntilDrained(rig));
    o.say(
      `the broker can be reached; the outboxes are drained after ${drains.at(-1)?.toFixed(1)} s`,
    );
  };
  const before = await heapsOf(rig.heapFolder, rig.replicas);
  const logs = await markLogs(rig.replicas);
  const acceptedBefore = load.acceptedTimes.length;
  o.say("blackhole");
  rig.proxies.kafka.set({ kind: "blackhole" });
  await pause(longMs);
  const taken = load.acceptedTimes.length - acceptedBefore;
  const grownMb = mostGrownMb(before, await heapsOf(rig.heapFolder, rig.replicas));
  const errors = await mostErrors(logs);
  await healed();

  o.say("half-open");
  rig.proxies.kafka.set({ kind: "half_open" });
  await pause(longMs * SHORTER);
  await healed();

  const resets = await flicker(rig, chance, longMs * SHORTER, () => ({
    kind: "reset",
    afterBytes: chance.between(SHORTEST_REQUEST_BYTES, LONGEST_REQUEST_BYTES),
  }));
  await healed();
  const drops = await flicker(rig, chance, longMs * SHORTER, () => ({ kind: "drop_response" }));
  await healed();

  const perMinute = (errors.count * 60_000) / longMs;
  const measured: Measured[] = [
    { what: "slowest drain", value: Math.max(...drains), unit: "s", aim: DRAIN_AIM_S },
    { what: "most grown heap in the blackhole", value: grownMb, unit: "MB", aim: HEAP_AIM_MB },
    {
      what: `errors logged a minute in the blackhole, by ${errors.name}`,
      value: perMinute,
      unit: "",
      aim: ERRORS_A_MINUTE_AIM,
    },
    { what: "orders accepted in the blackhole", value: taken, unit: "" },
  ];
  return {
    injected: `blackhole, half-open, ${resets} resets, ${drops} × lost answers`,
    measured,
    wrong: taken > 0 ? [] : ["no order was accepted in the blackhole"],
  };
}

/** Strikes and heals again and again. How often. */
async function flicker(
  rig: Rig,
  chance: Random,
  ms: number,
  mode: () => LinkMode,
): Promise<number> {
  const end = performance.now() + ms;
  let times = 0;
  while (performance.now() < end) {
    times += 1;
    rig.proxies.kafka.set(mode());
    await pause(chance.between(100, 800));
    rig.proxies.kafka.set({ kind: "pass" });
    await pause(chance.between(100, 1_200));
  }
  return times;
}

/** Of the replica that logged most. */
async function mostErrors(logs: LogMark): Promise<{ name: string; count: number }> {
  const counts = [...(await logs.errors())].map(([name, messages]) => {
    return { name, count: [...messages.values()].reduce((sum, each) => sum + each, 0) };
  });
  return counts.toSorted((a, b) => b.count - a.count)[0] ?? { name: "nobody", count: 0 };
}

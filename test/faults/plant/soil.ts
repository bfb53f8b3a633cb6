// What planted code calls: the process kills itself at a seam, or the way to the broker gets rough.
import { setTimeout as pause } from "node:timers/promises";
import { tell, type PlantOrders } from "./orders.ts";

export interface Soil {
  /** Passes a seam; `count` is how many events are under way there. When its time has come, the process dies. */
  strike(seam: string, count: number): void;
  /** Sends a batch of so many records as the weather will have it. */
  send(batch: () => Promise<void>, count: number): Promise<void>;
  /** From 0 to 1, by the seed. */
  random(): number;
}

/** Planted code reaches it as `globalThis.soil`. */
export function createSoil(orders: PlantOrders): Soil {
  const random = diceOf(orders.seed);
  const passed = new Map<string, number>();
  return {
    random,
    strike(seam, count) {
      const due = orders.strikes?.[seam];
      if (due === undefined) return;
      const times = (passed.get(seam) ?? 0) + 1;
      passed.set(seam, times);
      if (times < due) return;
      tell(orders.report, { kind: "strike", seam, count, pid: process.pid });
      dieNow();
    },
    async send(batch, count) {
      const { weather } = orders;
      if (weather === undefined) return batch();
      const [before, after, again, delay] = [random(), random(), random(), random()];
      await pause(delay * weather.delayMs);
      if (before < weather.failsBefore) throw new Error("weather: the broker is away");
      await batch();
      if (again < weather.twice) {
        tell(orders.report, { kind: "again", count, pid: process.pid });
        await batch();
      }
      if (after >= weather.failsAfter) return;
      tell(orders.report, { kind: "again", count, pid: process.pid });
      throw new Error("weather: the answer of the broker was lost");
    },
  };
}

/** As kill -9 does it: nothing that is written after this line runs. */
function dieNow(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}

/** Mulberry32: the same seed, the same throws. */
function diceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

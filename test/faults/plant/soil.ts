// What planted code calls: the process kills itself at a seam, or the way to the broker gets rough.
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { SQL } from "drizzle-orm";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { randomOf } from "../random.ts";
import { readReports, tell, type Variant } from "./orders.ts";

export interface Soil {
  /**
   * Passes a seam; `count` is how many events are under way there. When its time has come, the process dies, but not
   * of an event that one died of before: three deaths of one event are what poison is known by.
   */
  strike(seam: string, count: number, eventIds?: readonly string[]): void;
  /** Tells how long the work took. */
  timed<T>(work: () => Promise<T>): Promise<T>;
  /** Sends a batch of so many records as the weather will have it. */
  send(batch: () => Promise<void>, count: number): Promise<void>;
  /** Runs the statement on a connection that knows nothing of the transaction beside it. */
  elsewhere(tx: undefined, statement: SQL): Promise<void>;
  /** As `elsewhere`, after a while; nobody waits for it. */
  later(tx: undefined, statement: SQL): void;
}

const LATER_MS = 150;

/** Planted code reaches it as `globalThis.soil.`. */
export function createSoil(orders: Variant): Soil {
  const dice = randomOf(orders.seed);
  const random = () => dice.fraction();
  const diedOf = new Set(
    readReports(orders.report).flatMap((one) => (one.kind === "strike" ? one.eventIds : [])),
  );
  const passed = new Map<string, number>();
  let opened: PostgresJsDatabase | undefined;
  const elsewhere: Soil["elsewhere"] = async (_, statement) => {
    if (orders.elsewhere === undefined) throw new Error("The orders name no database.");
    opened ??= drizzle(postgres(orders.elsewhere, { max: 2 }));
    await opened.execute(statement);
  };
  return {
    elsewhere,
    later: (_, statement) => void pause(LATER_MS).then(() => elsewhere(undefined, statement)),
    strike(seam, count, eventIds = []) {
      const due = orders.strikes?.[seam];
      if (due === undefined || (orders.calm !== undefined && existsSync(orders.calm))) return;
      if (eventIds.some((id) => diedOf.has(id))) return;
      const times = (passed.get(seam) ?? 0) + 1;
      passed.set(seam, times);
      if (times < due) return;
      tell(orders.report, { kind: "strike", seam, count, eventIds, pid: process.pid });
      dieNow();
    },
    async timed(work) {
      const began = performance.now();
      const result = await work();
      tell(orders.report, { kind: "timed", ms: performance.now() - began, pid: process.pid });
      return result;
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

// Lanes: events of one key follow each other, events of different keys need not wait for each other.
import { keyHash } from "./key-hash.ts";

export interface Lanes {
  readonly count: number;
  laneOf(key: string): number;
  /** Runs the work when all earlier work of the lane has ended, whichever partition that came from. */
  run<T>(lane: number, work: () => Promise<T>): Promise<T>;
}

/** As many lanes as there may be transactions at the same time. */
export function createLanes(count: number): Lanes {
  const tails = new Map<number, Promise<unknown>>();
  return {
    count,
    laneOf: (key) => keyHash(key) % count,
    run(lane, work) {
      const before = tails.get(lane) ?? Promise.resolve();
      const running = before.then(work);
      tails.set(
        lane,
        running.catch(() => undefined), // who called `run` hears of it
      );
      return running;
    },
  };
}

/** Splits by lane, then into chunks; the order within a lane stays. */
export function chunksByLane<T>(
  items: readonly T[],
  laneOf: (item: T) => number,
  limit: number,
): Map<number, T[][]> {
  const lanes = new Map<number, T[][]>();
  for (const item of items) {
    const lane = laneOf(item);
    const chunks = lanes.get(lane) ?? [];
    lanes.set(lane, chunks);
    const last = chunks.at(-1);
    if (last === undefined || last.length >= limit) chunks.push([item]);
    else last.push(item);
  }
  return lanes;
}

// Work that goes on until it is stopped: one step after the other, with a rest that grows after errors.
import { underlying } from "./failure.ts";
import type { EventsLog } from "./ports.ts";

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;

/** How long to rest after so many failures in a row (1, 2 …): 100 ms to 5 s, each between half and whole. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const whole = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 16));
  return whole * (0.5 + random() / 2);
}

export interface Loop {
  /** Ends a rest early. During a step it makes the next rest end at once. */
  wake(): void;
  /** Rejects when the loop itself broke, which is a bug. */
  readonly done: Promise<void>;
  /** Resolves when the step that runs is done. */
  stop(): Promise<void>;
}

/**
 * Starts the loop. A step returns how many milliseconds to rest after it; what it throws is logged, and the step is
 * taken again after a back-off that no `wake` shortens. The signal aborts when the loop stops.
 */
export function startLoop(
  name: string,
  log: EventsLog,
  step: (signal: AbortSignal) => Promise<number>,
): Loop {
  const stopping = new AbortController();
  let endRest = (): void => undefined;
  let wakeable = false;
  let woken = false;

  const pause = async (milliseconds: number, mayWake: boolean): Promise<void> => {
    if (stopping.signal.aborted || (mayWake && woken)) return;
    wakeable = mayWake;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeable = false;
  };
  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      woken = false;
      try {
        const milliseconds = await step(stopping.signal);
        failures = 0;
        if (milliseconds > 0) await pause(milliseconds, true);
      } catch (error) {
        failures += 1;
        log.error({ error: underlying(error), failures }, `${name} failed and is tried again`);
        await pause(backoffMs(failures), false);
      }
    }
  };
  const done = run();
  return {
    done,
    wake: () => {
      woken = true;
      if (wakeable) endRest();
    },
    stop: () => {
      stopping.abort();
      endRest();
      return done;
    },
  };
}

/** Waits so many milliseconds at most. Undefined: it was not done by then, and goes on. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

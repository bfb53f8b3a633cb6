// Work that goes on when its caller has gone: a stop waits for it.

/** The longest that a stop waits, in milliseconds, unless told otherwise. */
const WAIT_LIMIT_MS = 10_000;

/** Tracks work that may outlive whoever asked for it. Disposing waits until none is left. */
export interface Outliving extends AsyncDisposable {
  /** Starts the work and gives its promise. Whoever leaves before it ends still has to say what becomes of a failure. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** How much is running now. */
  readonly running: number;
  /** Resolves when nothing runs any more: true, or false when the limit (in milliseconds) passed before. */
  settled(limitMs: number): Promise<boolean>;
}

/** Disposing rejects with an Error when work is left after `limitMs`: the process then ends in the middle of it. */
export function outliving(limitMs: number = WAIT_LIMIT_MS): Outliving {
  const running = new Set<Promise<unknown>>();

  const settled = async (waitMs: number): Promise<boolean> => {
    const limit = Promise.withResolvers<void>();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      limit.resolve();
    }, waitMs);
    // Work may start other work, so it is looked at again until the set is empty.
    while (running.size > 0 && !late) {
      await Promise.race([Promise.allSettled(running), limit.promise]);
    }
    clearTimeout(timer);
    return running.size === 0;
  };

  return {
    run<T>(work: () => Promise<T>) {
      // Begun a tick later, so that it is known here before it can end.
      const tracked: Promise<T> = Promise.resolve()
        .then(work)
        .finally(() => running.delete(tracked));
      running.add(tracked);
      return tracked;
    },
    get running() {
      return running.size;
    },
    settled,
    async [Symbol.asyncDispose]() {
      if (await settled(limitMs)) return;
      throw new Error(`${running.size} pieces of work were still running after ${limitMs} ms.`);
    },
  };
}

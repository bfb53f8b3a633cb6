// A story told line by line, with the milliseconds since it began.

export interface Story {
  /** Prints a line. `at` is when it happened (performance.now(), default: now). */
  tell(who: string, what: string, more?: { readonly at?: number }): void;
}

export function createStory(): Story {
  const startedAt = performance.now();
  return {
    tell: (who, what, { at = performance.now() } = {}) => {
      const ms = Math.round(at - startedAt);
      console.log(`${String(ms).padStart(6)} ms  ${who.padEnd(8)} ${what}`);
    },
  };
}

const PATIENCE_MS = 20_000;
const POLL_MS = 25;

/** Asks again and again until it is so; throws with what was not so when that takes too long. */
export async function eventually(otherwise: string, isSo: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > until)
      throw new Error(`${otherwise} within ${PATIENCE_MS / 1000} s. Look into .waybill/logs/.`);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, POLL_MS);
    await promise;
  }
}

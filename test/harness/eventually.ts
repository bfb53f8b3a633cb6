// Waiting for what will be true: polled, with a limit, never a fixed sleep.
import { setTimeout as pause } from "node:timers/promises";

/** Long enough for a machine that is busy with other things. */
const WITHIN_MS = 20_000;
const POLL_MS = 40;

/**
 * The result of the first look that does not throw: put expectations into it. Fails with what the last look threw.
 * `withinMs` is in milliseconds.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { withinMs = WITHIN_MS }: { readonly withinMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await pause(POLL_MS);
  }
}

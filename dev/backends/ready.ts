// Waits for a server that starts: until it proves that it works, or ends, or the time is up.
import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "../process/child.ts";

/** False when the process ended or the limit (in milliseconds) passed before `prove` resolved. */
export async function becomesReady(
  child: Child,
  limit: { readonly withinMs: number; readonly pollMs: number },
  prove: () => Promise<unknown>,
): Promise<boolean> {
  const deadline = Date.now() + limit.withinMs;
  while (child.running && Date.now() < deadline) {
    const ready = await prove().then(
      () => true,
      () => false, // it is still starting
    );
    if (ready) return true;
    await pause(limit.pollMs);
  }
  return false;
}

// Counting for the oracle: too few is lost, too many is doubled.
import type { Findings } from "./facts.ts";

export function once(found: Findings, count: number, what: string, times = 1): void {
  if (count < times) found.lost.push(`${what}: ${count} in place of ${times}`);
  if (count > times) found.doubled.push(`${what}: ${count} in place of ${times}`);
}

// How long it took from the commit of a fact to its effect.
import type { World } from "./world.ts";

/** In milliseconds, of the keys that are not left out; 0 where there is nothing to measure. */
export async function latencyMs(
  world: World,
  without: readonly string[] = [],
): Promise<{ readonly p99Ms: number; readonly longestMs: number }> {
  const [row] = await world.sql<{ p99: number | null; longest: number | null }[]>`
    SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::float8 AS p99, max(ms)::float8 AS longest
    FROM (
      SELECT extract(epoch FROM e.at - h.at) * 1000 AS ms FROM happened AS h JOIN effect AS e USING (nonce)
      WHERE NOT h.key = ANY (${[...without]}::text[])
    ) AS taken`;
  return { p99Ms: row?.p99 ?? 0, longestMs: row?.longest ?? 0 };
}

// A repeated call waits for what comes of the first one, as long as its caller does.
import type { HandlerContext } from "@connectrpc/connect";
import { setTimeout as pause } from "node:timers/promises";

/** How long it waits, in milliseconds, and how often it looks. */
const WAIT_LIMIT_MS = 3000;
const WAIT_STEP_MS = 100;
/** What is kept of the caller's time for the answer itself, in milliseconds. */
const ANSWER_RESERVE_MS = 300;

/** The row when it has moved, or as it is when the time is over. */
export async function untilMoved<Row>(
  context: HandlerContext,
  o: {
    readonly first: Row;
    readonly isMoved: (row: Row) => boolean;
    readonly look: (row: Row) => Promise<Row | undefined>;
  },
): Promise<Row> {
  const leftMs = (context.timeoutMs() ?? WAIT_LIMIT_MS) - ANSWER_RESERVE_MS;
  const until = performance.now() + Math.min(WAIT_LIMIT_MS, leftMs);
  let seen = o.first;
  while (!o.isMoved(seen) && performance.now() < until) {
    await pause(WAIT_STEP_MS);
    seen = (await o.look(seen)) ?? seen;
  }
  return seen;
}

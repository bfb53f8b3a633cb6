// The end of a fault that the oracle judges: all comes to rest, the facts are gathered, and the verdict is a result.
import type { Say } from "../../dev/backends/problem.ts";
import type { Facts } from "./facts.ts";
import type { FaultResult, Measured } from "./fault.ts";
import { gatherFacts } from "./gather.ts";
import type { LoadResult } from "./load.ts";
import type { OffsetWatch } from "./offset-watch.ts";
import { judge } from "./oracle.ts";
import { becomesQuiet } from "./quiet.ts";
import type { Rig } from "./rig.ts";

export interface Injected {
  readonly injected: string;
  readonly measured?: readonly Measured[];
  readonly wrong?: readonly string[];
}

export interface Conclusion {
  readonly orders: LoadResult;
  readonly watch: OffsetWatch;
  /** What was done; asked when all is at rest, so that a fault that broke leaves nothing at work behind. */
  readonly injected: () => Injected;
  /** What else the facts show to be wrong. */
  readonly alsoWrong?: (facts: Facts) => readonly string[];
  readonly say: Say;
}

/** How many records were on the topics twice when the last fault of a rig was done: the next one counts its own. */
const redeliveredBefore = new WeakMap<Rig, number>();

/** @throws what `injected` throws, when all is at rest */
export async function conclude(rig: Rig, c: Conclusion): Promise<FaultResult> {
  const quiet = await becomesQuiet(rig);
  const ahead = await c.watch.stop();
  c.say(`at rest after ${quiet.seconds?.toFixed(1) ?? "more than 60"} s; judging`);
  const { injected, measured = [], wrong = [] } = c.injected();
  const facts = await gatherFacts(rig, c.orders.accepted);
  const verdict = judge(facts);
  const before = redeliveredBefore.get(rig) ?? 0;
  redeliveredBefore.set(rig, verdict.redelivered);
  const restless =
    quiet.seconds === undefined ? [`not at rest: ${JSON.stringify(quiet.atWork)}`] : [];
  return {
    ...verdict,
    accepted: c.orders.accepted.length,
    refused: c.orders.refused,
    injected,
    wrong: [...restless, ...ahead, ...verdict.wrong, ...(c.alsoWrong?.(facts) ?? []), ...wrong],
    redelivered: verdict.redelivered - before,
    recoverSeconds: quiet.seconds,
    measured: [...measured, { what: "looks at the offsets", value: c.watch.looks, unit: "" }],
  };
}

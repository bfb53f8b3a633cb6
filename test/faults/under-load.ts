// The course of most faults: orders come in while it is injected; then it is healed, waited for quiet, and judged.
import { twiceInCalm, untilCalmIsLong } from "./calm.ts";
import { startChatter } from "./chatter.ts";
import { type FaultOptions, type FaultResult, type Measured } from "./fault.ts";
import { gatherFacts } from "./gather.ts";
import { type Load, startLoad } from "./load.ts";
import { watchOffsets } from "./offset-watch.ts";
import { judge } from "./oracle.ts";
import { becomesQuiet } from "./quiet.ts";
import type { Rig } from "./rig.ts";

/** What a fault has while the load goes on. */
export interface Chaos {
  readonly load: Load;
  /** Milliseconds of the run that are left; none, and the fault should heal and return. */
  readonly left: () => number;
}

export interface Injected {
  readonly injected: string;
  readonly measured?: readonly Measured[];
  readonly wrong?: readonly string[];
}

/** Events of the chatter for each order. */
const CHATTER_PER_ORDER = 3;

/** How many records were on the topics twice when the last fault of a rig was done: the next one counts its own. */
const redeliveredBefore = new WeakMap<Rig, number>();

/** The load goes on until `inject` returns, which has to leave every process running; the proxies are healed here. */
export async function underLoad(
  rig: Rig,
  o: FaultOptions,
  inject: (chaos: Chaos) => Promise<Injected>,
): Promise<FaultResult> {
  const watch = watchOffsets(rig);
  const calmStart = await rig.topics.ends();
  const load = await startLoad(rig.place, { rate: o.rate, random: o.random.branch("load") });
  const chatter = startChatter(rig, {
    rate: o.rate * CHATTER_PER_ORDER,
    random: o.random.branch("chatter"),
  });
  const calmEnd = await untilCalmIsLong(calmStart, () => rig.topics.ends());
  const end = performance.now() + o.seconds * 1000;
  const injecting = inject({ load, left: () => Math.max(0, end - performance.now()) });
  const [injected] = await Promise.allSettled([injecting.finally(() => heal(rig))]);
  const [orders, chatted] = await Promise.all([load.stop(), chatter.stop()]);
  o.say(`${orders.accepted.length} orders accepted; waiting for quiet`);
  const quiet = await becomesQuiet(rig);
  const ahead = await watch.stop();
  o.say(`at rest after ${quiet.seconds?.toFixed(1) ?? "more than 60"} s; judging`);
  if (injected.status === "rejected") throw injected.reason;

  const facts = await gatherFacts(rig, orders.accepted);
  const verdict = judge(facts);
  const before = redeliveredBefore.get(rig) ?? 0;
  redeliveredBefore.set(rig, verdict.redelivered);
  const restless =
    quiet.seconds === undefined ? [`not at rest: ${JSON.stringify(quiet.atWork)}`] : [];
  return {
    ...verdict,
    accepted: orders.accepted.length,
    refused: orders.refused,
    injected: injected.value.injected,
    wrong: [
      ...restless,
      ...ahead,
      ...verdict.wrong,
      ...twiceInCalm(facts.records, calmStart, calmEnd),
      ...(injected.value.wrong ?? []),
    ],
    redelivered: verdict.redelivered - before,
    recoverSeconds: quiet.seconds,
    measured: [
      ...(injected.value.measured ?? []),
      { what: "other events, of few keys", value: chatted, unit: "" },
      { what: "looks at the offsets", value: watch.looks, unit: "" },
    ],
  };
}

function heal({ proxies }: Rig): void {
  for (const proxy of Object.values(proxies)) proxy.set({ kind: "pass" });
}

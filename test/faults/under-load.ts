// The course of most faults: orders come in while it is injected; then it is healed, waited for quiet, and judged.
import { twiceInCalm, untilCalmIsLong } from "./calm.ts";
import { startChatter } from "./chatter.ts";
import { conclude, type Injected } from "./conclude.ts";
import type { FaultOptions, FaultResult } from "./fault.ts";
import { type Load, startLoad } from "./load.ts";
import { watchOffsets } from "./offset-watch.ts";
import type { Rig } from "./rig.ts";

/** What a fault has while the load goes on. */
export interface Chaos {
  readonly load: Load;
  /** Milliseconds of the run that are left; none, and the fault should heal and return. */
  readonly left: () => number;
}

/** Events of the chatter for each order. */
const CHATTER_PER_ORDER = 3;

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
  const [ended] = await Promise.allSettled([injecting.finally(() => heal(rig))]);
  const [orders, chatted] = await Promise.all([load.stop(), chatter.stop()]);
  o.say(`${orders.accepted.length} orders accepted; waiting for quiet`);
  return await conclude(rig, {
    orders,
    watch,
    say: o.say,
    alsoWrong: ({ records }) => twiceInCalm(records, calmStart, calmEnd),
    injected: () => {
      if (ended.status === "rejected") throw ended.reason;
      const others = { what: "other events, of few keys", value: chatted, unit: "" };
      return { ...ended.value, measured: [...(ended.value.measured ?? []), others] };
    },
  });
}

function heal({ proxies }: Rig): void {
  for (const proxy of Object.values(proxies)) proxy.set({ kind: "pass" });
}

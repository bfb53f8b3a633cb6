// F10: consumers come and go every three seconds; then a topic is grown, which no service accepts, and the way out is gone.
import type { Fault } from "./fault.ts";
import { layerResult, serversOf } from "./layer-result.ts";
import { growTopic } from "./layer/growth.ts";
import { rebalanceStorm } from "./layer/storm.ts";

const PER_SECOND = 200;
const TAKEOVER_AIM_S = 8;
const SEED_LIMIT = 2 ** 31;

export const rebalance: Fault = {
  id: "F10",
  title: "a storm of rebalances, then a grown topic",
  async run(rig, o) {
    const random = o.random.branch("storm");
    const seed = random.between(1, SEED_LIMIT);
    const { seconds } = o;
    const storm = await rebalanceStorm(serversOf(rig), {
      seconds,
      perSecond: PER_SECOND,
      random,
      seed,
    });
    o.say("the storm is over; the topic grows");
    const growth = await growTopic(serversOf(rig), seed);
    return layerResult({
      ...storm,
      findings: [...storm.findings, ...growth.findings],
      happened: storm.happened + growth.happened,
      injected: `${storm.came} came, ${storm.left} left, ${storm.killed} killed; 6 partitions became 12`,
      measured: [
        {
          what: "longest from commit to effect",
          value: storm.longestMs / 1000,
          unit: "s",
          aim: TAKEOVER_AIM_S,
        },
      ],
    });
  },
};

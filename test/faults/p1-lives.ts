// P1: whole lives of orders, drawn by chance, with their webhooks in any order, twice or late, while services are killed.
import fc from "fast-check";
import { openHistory } from "../harness/history.ts";
import { FULL_LIFE, type Life, lifeArbitrary, permutations } from "../harness/life.ts";
import { liveAll, type Lived } from "../harness/lives.ts";
import { orderFault, releaseWebhooks, forgetFaults } from "../harness/sandbox.ts";
import { conclude } from "./conclude.ts";
import { secondsUntilItServes } from "./f1-kill-services.ts";
import type { Fault, FaultOptions } from "./fault.ts";
import { storedOrders } from "./gather.ts";
import { watchOffsets } from "./offset-watch.ts";
import type { Random } from "./random.ts";
import type { Rig } from "./rig.ts";

/** Lives at the same time. */
const ABREAST = 20;
/** So many of the events of FULL_LIFE change places, in each way there is; the others keep theirs. */
const PERMUTED = 4;
const SEED_LIMIT = 2 ** 31;
const ALL = 1_000_000;

export const lives: Fault = {
  id: "P1",
  title: "any life, its webhooks in any order, twice and late, while services are killed",
  async run(rig, o) {
    const watch = watchOffsets(rig);
    const done: Lived[] = [];
    const [ended] = await Promise.allSettled([liveThem(rig, o, done)]);
    await forgetFaults(rig.place);
    await releaseWebhooks(rig.place);
    const ids = new Set(done.flatMap(({ orderIds }) => orderIds));
    const accepted = (await storedOrders(rig)).filter(({ id }) => ids.has(id));
    return await conclude(rig, {
      orders: { accepted, refused: {} },
      watch,
      say: o.say,
      injected: () => {
        if (ended.status === "rejected") throw ended.reason;
        const events = done.reduce((sum, lived) => sum + lived.events, 0);
        return {
          injected: `${ended.value} kills, ${events} webhooks in any order`,
          wrong: done.flatMap(({ wrong }) => wrong),
        };
      },
    });
  },
};

/** The number of kills. */
async function liveThem(rig: Rig, o: FaultOptions, done: Lived[]): Promise<number> {
  const seed = o.random.branch("lives").between(1, SEED_LIMIT);
  const chance = o.random.branch("victims");
  const drawn = fc.sample(lifeArbitrary, { seed, numRuns: o.count });
  const permuted = permutations(PERMUTED).map((shuffle): Life =>
    Object.assign({}, FULL_LIFE, { shuffle }),
  );
  const all = [...drawn, ...permuted];
  await using history = await openHistory(historyUrls(rig));
  let kills = 0;
  const strike = async () => {
    kills += 1;
    await killOne(rig, chance, o);
  };
  await orderFault(rig.place, { provider: "stripe", fault: "webhook_hold", count: ALL });
  for (let first = 0; first < all.length; first += ABREAST) {
    const lived = await liveAll(rig.place, all.slice(first, first + ABREAST), { history, strike });
    done.push(lived);
    for (const id of lived.orderIds) rig.raced.add(id);
    o.say(`${first + lived.orderIds.length} of ${all.length}: ${JSON.stringify(lived.ends)}`);
    for (const finding of lived.wrong) o.say(finding);
  }
  return kills;
}

/** A process of Order or Payment, whose rows are looked at. */
async function killOne(rig: Rig, chance: Random, o: FaultOptions): Promise<void> {
  const victim = chance.pick(
    rig.replicas.filter(({ service }) => service === "payment" || service === "order"),
  );
  o.say(`kill -9 ${victim.name}`);
  await victim.signal("SIGKILL");
  await secondsUntilItServes(victim);
}

/** Past the proxy. */
function historyUrls({ stack, postgres }: Rig): Record<"order" | "payment", string> {
  const direct = (address: string): string => {
    const url = new URL(address);
    url.port = String(postgres.port);
    return url.href;
  };
  const { order, payment } = stack.stack.postgres;
  return { order: direct(order), payment: direct(payment) };
}

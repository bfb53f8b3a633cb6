// R1 to R5: two who want something of one order at the same time, again and again, on two replicas of every service.
import { RACES as ORDER_RACES, type Race, type RaceResult } from "../harness/races.ts";
import { twoWebhooks } from "../harness/races-webhook.ts";
import { conclude } from "./conclude.ts";
import type { Fault } from "./fault.ts";
import { storedOrders } from "./gather.ts";
import { watchOffsets } from "./offset-watch.ts";

const RACES: Readonly<Record<string, Race>> = {
  ...ORDER_RACES,
  "two webhooks at once": twoWebhooks,
};

export const races: readonly Fault[] = Object.entries(RACES).map(([name, race], place) => ({
  id: `R${place + 1}`,
  title: name,
  async run(rig, o) {
    const watch = watchOffsets(rig);
    const before = new Set((await storedOrders(rig)).map(({ id }) => id));
    const [ended] = await Promise.allSettled([race(rig.place, { rounds: o.count })]);
    const orders = (await storedOrders(rig)).filter(({ id }) => !before.has(id));
    for (const { id } of orders) rig.raced.add(id);
    return await conclude(rig, {
      orders: { accepted: orders, refused: {} },
      watch,
      say: o.say,
      injected: () => {
        if (ended.status === "rejected") throw ended.reason;
        return { injected: inWords(ended.value), wrong: ended.value.wrong };
      },
    });
  },
}));

const inWords = ({ outcomes }: RaceResult): string =>
  Object.entries(outcomes)
    .map(([outcome, times]) => `${times} × ${outcome}`)
    .join(", ");

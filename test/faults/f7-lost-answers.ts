// F7: Stripe carries a call out and its answer is lost, and Payment is killed before it can write down what happened.
import { setTimeout as pause } from "node:timers/promises";
import { refundPayment } from "../harness/orders.ts";
import { eventually } from "../harness/eventually.ts";
import { newCustomer } from "../harness/people.ts";
import { forgetFaults, orderFault, releaseWebhooks, stripePayments } from "../harness/sandbox.ts";
import { conclude } from "./conclude.ts";
import { secondsUntilItServes } from "./f1-kill-services.ts";
import type { AcceptedOrder } from "./facts.ts";
import type { Fault, FaultOptions } from "./fault.ts";
import { bodyOf, orderOnce } from "./load.ts";
import { watchOffsets } from "./offset-watch.ts";
import type { Random } from "./random.ts";
import type { Rig } from "./rig.ts";

/** Payments that are under way at the same time. */
const WAVE = 20;
/** One in so many of them is given back, in part, while the next wave is paid. */
const REFUND_EVERY = 4;
/** Calls of a payment until Payment is killed, at the most: the SDK's own retries, and then some. */
const CALLS_PER_PAYMENT = 4;
/** Stripe's answer is on its way for so long: longer than it takes to look and to kill. */
const LATE_MS = 5_000;
const EXECUTED_WITHIN_MS = 15_000;
const SETTLED_WITHIN_MS = 60_000;
const SETTLED_AIM_S = 30;
const LONGEST_REST_MS = 1_500;

/** What becomes of a call, the likely ones more than once. None leaves a payment that must not be paid. */
const FATES = [
  { fault: "execute_then_drop" },
  { fault: "execute_then_drop" },
  { fault: "execute_then_wait", latencyMs: LATE_MS },
  { fault: "execute_then_wait", latencyMs: LATE_MS },
  { fault: "execute_then_500" },
  { fault: "drop" },
  { fault: "status", status: 409 },
  { fault: "status", status: 429 },
] as const;
/** Nobody tells in time what the answer would have told. */
const SILENCES = [
  { fault: "webhook_drop" },
  { fault: "webhook_hold" },
  { fault: "webhook_delay", latencyMs: 3 * LATE_MS },
] as const;
const ALL = 10_000;

interface Told {
  kills: number;
  /** Payments and refunds that Stripe had made, and Payment did not know of when it died. */
  between: number;
  readonly settleSeconds: number[];
  readonly accepted: AcceptedOrder[];
  readonly refused: Record<string, number>;
}

export const lostAnswers: Fault = {
  id: "F7",
  title: "Stripe does it, its answer is lost, and Payment is killed before it writes it down",
  async run(rig, o) {
    const watch = watchOffsets(rig);
    const told: Told = { kills: 0, between: 0, settleSeconds: [], accepted: [], refused: {} };
    const [ended] = await Promise.allSettled([waves(rig, o, told)]);
    await calmSandbox(rig);
    const { accepted, refused, kills, between } = told;
    return await conclude(rig, {
      orders: { accepted, refused },
      watch,
      say: o.say,
      injected: () => {
        if (ended.status === "rejected") throw ended.reason;
        const slowest = Math.max(...told.settleSeconds);
        return {
          injected: `${kills} kills, ${between} calls between Stripe's doing and ours`,
          measured: [
            { what: "slowest payment to settle", value: slowest, unit: "s", aim: SETTLED_AIM_S },
          ],
          wrong: between === 0 ? ["no kill came between a call and its record"] : [],
        };
      },
    });
  },
};

async function waves(rig: Rig, o: FaultOptions, told: Told): Promise<void> {
  const chance = o.random.branch("waves");
  let last: readonly AcceptedOrder[] = [];
  for (let left = o.count; left > 0; left -= WAVE) {
    const toRefund = last.filter((_, place) => place % REFUND_EVERY === 0);
    last = await wave(rig, chance, { told, size: Math.min(WAVE, left), toRefund });
    const seconds = told.settleSeconds.at(-1)?.toFixed(1);
    o.say(`${told.accepted.length} paid; the last ones settled after ${seconds} s`);
  }
}

/** Payments and refunds at once; when Stripe has done most of them, Payment is killed, twice over. */
async function wave(
  rig: Rig,
  chance: Random,
  w: { readonly told: Told; readonly size: number; readonly toRefund: readonly AcceptedOrder[] },
): Promise<readonly AcceptedOrder[]> {
  const { told, size, toRefund } = w;
  const before = await doneAtStripe(rig);
  await orderWeather(rig, chance, size);
  const asking = Promise.all([
    ...Array.from({ length: size }, (_, number) => pay(rig, chance.branch(`order ${number}`))),
    ...toRefund.map((order) => giveBack(rig, order)),
  ]);
  await eventually(
    async () => {
      if ((await doneAtStripe(rig)) - before < size / 2) throw new Error("too little was executed");
    },
    { withinMs: EXECUTED_WITHIN_MS },
  );
  await killPayment(rig, told);
  await pause(chance.between(0, LONGEST_REST_MS));
  await killPayment(rig, told);
  await calmSandbox(rig);
  const began = performance.now();
  const answers = await asking;
  await untilSettled(rig);
  told.settleSeconds.push((performance.now() - began) / 1000);
  const accepted = answers.filter((answer) => typeof answer === "object");
  for (const answer of answers) {
    if (typeof answer === "string") told.refused[answer] = (told.refused[answer] ?? 0) + 1;
  }
  told.accepted.push(...accepted);
  return accepted;
}

async function orderWeather({ place }: Rig, chance: Random, size: number): Promise<void> {
  await orderFault(place, { provider: "stripe", ...chance.pick(SILENCES), count: ALL });
  for (let calls = 0; calls < size * CALLS_PER_PAYMENT;) {
    const count = chance.between(1, 4);
    calls += count;
    const operation = "payment_intents.create";
    await orderFault(place, { provider: "stripe", operation, ...chance.pick(FATES), count });
  }
  for (let calls = 0; calls < size; calls += 1) {
    const operation = "refunds.create";
    await orderFault(place, { provider: "stripe", operation, ...chance.pick(FATES) });
  }
}

/** No more faults, and the webhooks that were held go out. */
async function calmSandbox({ place }: Rig): Promise<void> {
  await forgetFaults(place);
  await releaseWebhooks(place);
}

/** The order as it was accepted, or why the customer gave up. */
const pay = async ({ place }: Rig, chance: Random): Promise<AcceptedOrder | string> =>
  await orderOnce(place, await newCustomer(place), bodyOf(chance), `f7-${crypto.randomUUID()}`);

/** An operator gives half of it back, and asks again under the same ID until there is an answer. */
async function giveBack(rig: Rig, { id, minorUnits }: AcceptedOrder): Promise<undefined> {
  const [row] = await rig.databases.mustAsk<{ id: string }>(
    "payment",
    "select id from payments where order_id = $1",
    [id],
  );
  const amount = { currencyCode: "EUR", minorUnits: String(Math.floor(minorUnits / 2)) };
  const fields = { requestId: `f7-${id}`, amount };
  await eventually(
    async () => {
      const { status, text } = await refundPayment(rig.place, row?.id ?? "", fields);
      if (status !== 200) throw new Error(`the refund of order ${id} answered ${status}: ${text}`);
    },
    { withinMs: SETTLED_WITHIN_MS },
  );
}

async function killPayment(rig: Rig, told: Told): Promise<void> {
  const victims = rig.replicas.filter(({ service }) => service === "payment");
  await Promise.all(victims.map((victim) => victim.signal("SIGKILL")));
  told.kills += victims.length;
  told.between += await betweenDoingAndRecord(rig);
  await Promise.all(victims.map(secondsUntilItServes));
}

async function doneAtStripe({ place }: Rig): Promise<number> {
  return (await stripePayments(place)).reduce((sum, { charges }) => sum + charges, 0);
}

/** Payments that Stripe charged, and that their row does not show as charged. */
async function betweenDoingAndRecord(rig: Rig): Promise<number> {
  const rows = await rig.databases.mustAsk<{ orderId: string }>(
    "payment",
    `select order_id as "orderId" from payments where status in ('PENDING_INITIATION', 'UNKNOWN')`,
  );
  const unknown = new Set(rows.map(({ orderId }) => orderId));
  return (await stripePayments(rig.place)).filter(
    ({ charges, metadata }) => charges > 0 && unknown.has(metadata["order_id"] ?? ""),
  ).length;
}

/** Waits until every payment and refund is settled, and every order knows. */
async function untilSettled({ databases }: Rig): Promise<void> {
  const count = async (store: "order" | "payment", text: string) =>
    (await databases.mustAsk<{ n: number }>(store, text))[0]?.n ?? 0;
  await eventually(
    async () => {
      const open = await Promise.all([
        count("order", "select count(*)::int as n from orders where status = 'PENDING'"),
        count("payment", "select count(*)::int as n from refunds where call_status <> 'SETTLED'"),
      ]);
      if (open.some((each) => each > 0)) throw new Error(`not settled: ${open.join(", ")}`);
    },
    { withinMs: SETTLED_WITHIN_MS },
  );
}

// Whatever happens in an order's life, and in whatever order, twice and late Stripe tells it, Order, Payment and Stripe agree in the end.
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { serviceServes } from "../../dev/stack/health.ts";
import { takeControl } from "../harness/control.ts";
import { eventually } from "../harness/eventually.ts";
import { type History, openHistory } from "../harness/history.ts";
import { FULL_LIFE, lifeArbitrary, permutations } from "../harness/life.ts";
import { liveAll } from "../harness/lives.ts";
import { faultsUntilDone, orderFault } from "../harness/sandbox.ts";

const place = inject("shared");
const control = inject("control");
const LIVES = 16;
const ALL = 100_000;
/** So many of the events of FULL_LIFE change places, in each way there is; the others keep theirs. */
const PERMUTED = 4;
const LIMIT_MS = 120_000;
/** Of a run that failed: LIVES_SEED=4711 npm test -- test/payments/lives.test.ts */
const seed = Number(process.env["LIVES_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

let history: History;
beforeAll(async () => {
  history = await openHistory(place.stack.postgres);
});
afterAll(() => history?.[Symbol.asyncDispose]());

async function killPayment(): Promise<void> {
  const { kill } = await takeControl(control);
  await kill("payment", "SIGKILL");
  await eventually(async () => {
    expect(await serviceServes(place.stack.services.payment.url)).toBe(true);
  });
}

test(
  "any life with any order of its webhooks ends as Stripe has it, and never leaves PAID, though Payment is killed",
  async () => {
    await using _faults = faultsUntilDone(place);
    await orderFault(place, { provider: "stripe", fault: "webhook_hold", count: ALL });
    const lives = fc.sample(lifeArbitrary, { seed, numRuns: LIVES });

    const { ends, wrong } = await liveAll(place, lives, { history, strike: killPayment });

    expect(wrong, `seed ${seed}`).toEqual([]);
    expect(ends["PAID"] ?? 0, `seed ${seed}: ${JSON.stringify(ends)}`).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

test(
  "one life ends the same in 24 orders of its webhooks: PAID, and given back in part",
  async () => {
    await using _faults = faultsUntilDone(place);
    await orderFault(place, { provider: "stripe", fault: "webhook_hold", count: ALL });
    const lives = permutations(PERMUTED).map((shuffle) =>
      Object.assign({}, FULL_LIFE, { shuffle }),
    );

    const { ends, wrong } = await liveAll(place, lives, { history, strike: async () => {} });

    expect(wrong).toEqual([]);
    expect(ends).toEqual({ PAID: lives.length });
  },
  LIMIT_MS,
);

// The life of one order's payment, as fast-check draws it: what happens, and when which of Stripe's events are delivered.
import fc from "fast-check";

const method = fc.constantFrom(
  "pm_card_visa",
  "pm_card_chargeDeclined",
  "pm_card_threeDSecure2Required",
  "pm_usBankAccount_processing",
);
/** Cents. More than is left is refused, which is part of life. */
const amount = fc.integer({ min: 1, max: 1999 });

/** What may happen. What cannot happen in its state is refused by Stripe, or by us, and changes nothing. */
const act = fc.oneof(
  fc.record({ kind: fc.constant("attempt" as const), method }),
  fc.record({ kind: fc.constant("browser" as const), method }),
  fc.record({ kind: fc.constant("bank" as const), outcome: fc.constantFrom("succeed", "fail") }),
  fc.record({ kind: fc.constant("refund" as const), amount }),
  fc.record({ kind: fc.constant("dashboard-refund" as const), amount }),
  fc.record({ kind: fc.constant("refund-fails" as const) }),
  fc.record({ kind: fc.constant("dispute" as const) }),
  fc.record({ kind: fc.constant("decision" as const), outcome: fc.constantFrom("win", "lose") }),
);
/** Ends a payment that is not paid, so it is drawn seldom. */
const giveUp = fc.constantFrom({ kind: "cancel" as const }, { kind: "dashboard-cancel" as const });
export type Act =
  typeof act extends fc.Arbitrary<infer T>
    ? T | (typeof giveUp extends fc.Arbitrary<infer G> ? G : never)
    : never;

/** Which of the events so far are delivered after an act: by number, so some twice, some not, in any order. */
const deliveries = fc.array(fc.nat({ max: 40 }), { maxLength: 5 });
const step = fc.record({ act, deliveries });
const lastStep = fc.record({ act: fc.oneof(giveUp, act), deliveries });

export interface Step {
  readonly act: Act;
  readonly deliveries: readonly number[];
}

export interface Life {
  /** The payment method of the first attempt; "" leaves it to the browser. */
  readonly first: string;
  readonly before: readonly Step[];
  readonly after: readonly Step[];
  /** The keys by which all events are sorted for their last delivery. */
  readonly shuffle: readonly number[];
}

/** Most lives come to money, or there is nothing to give back. */
const pays = fc.constantFrom<Act | undefined>(
  { kind: "browser", method: "pm_card_visa" },
  { kind: "browser", method: "pm_card_visa" },
  undefined,
);

export const lifeArbitrary: fc.Arbitrary<Life> = fc
  .record({
    first: fc.oneof(method, fc.constant("")),
    before: fc.array(step, { maxLength: 3 }),
    pays,
    after: fc.array(step, { maxLength: 5 }),
    last: fc.option(lastStep, { nil: undefined }),
    shuffle: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  })
  .map(({ first, before, pays: paying, after, last, shuffle }) => ({
    first,
    before,
    after: [
      ...(paying === undefined ? [] : [{ act: paying, deliveries: [] }]),
      ...after,
      ...(last === undefined ? [] : [last]),
    ],
    shuffle,
  }));

/** A payment that fails, asks for 3-D Secure, is paid, and partly given back: with none of its events delivered before the end. */
export const FULL_LIFE: Omit<Life, "shuffle"> = {
  first: "pm_card_chargeDeclined",
  before: [{ act: { kind: "browser", method: "pm_card_threeDSecure2Required" }, deliveries: [] }],
  after: [
    { act: { kind: "bank", outcome: "succeed" }, deliveries: [] },
    { act: { kind: "dashboard-refund", amount: 500 }, deliveries: [] },
  ],
};

/** All orders of the numbers from 0 up to and without `length`. */
export function permutations(length: number): number[][] {
  if (length === 0) return [[]];
  return permutations(length - 1).flatMap((rest) =>
    Array.from({ length }, (_, at) => [...rest.slice(0, at), length - 1, ...rest.slice(at)]),
  );
}

/** All events by their keys, and then all of them again in another order. */
export function lastDelivery<E>(events: readonly E[], { shuffle }: Pick<Life, "shuffle">): E[] {
  const sorted = (turn: number) =>
    events
      .map((event, at) => ({ event, key: shuffle[(at + turn) % shuffle.length] ?? 0 }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ event }) => event);
  return [...sorted(0), ...sorted(1)];
}

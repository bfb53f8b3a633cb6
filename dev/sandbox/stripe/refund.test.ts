// The sums of a charge under any sequence of refunds and of what becomes of them.
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Change, Charge, Refund } from "./records.ts";
import { canMove, makeRefund, moveRefund, refundableOf, refundMoves } from "./refund.ts";

const method = { id: "pm_1", type: "card", brand: "visa", last4: "4242" } as const;
const fresh: Charge = {
  id: "ch_1",
  paymentId: "pi_1",
  amount: 100,
  currency: "eur",
  metadata: {},
  receiptEmail: null,
  method: { ...method, ending: { kind: "succeeds" } },
  created: 0,
};
const command = fc.record({
  amount: fc.integer({ min: 1, max: 100 }),
  status: fc.constantFrom("pending", "requires_action", "succeeded"),
  move: fc.constantFrom(undefined, ...refundMoves),
  which: fc.nat(20),
});
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** What the command leads to; undefined where Stripe would refuse it. */
function changeOf(charge: Charge, refunds: readonly Refund[], given: Command): Change | undefined {
  const { amount, move, status, which } = given;
  if (move === undefined) {
    const id = `re_${refunds.length}`;
    const request = { id, amount, status, reason: null, metadata: {} };
    return amount <= refundableOf(charge) ? makeRefund(charge, request, 0) : undefined;
  }
  const refund = refunds[which];
  return refund && canMove(refund, move) ? moveRefund({ refund, charge }, move) : undefined;
}

it("are those of its refunds that stand, and the last event of each refund tells its state", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      let charge = fresh;
      const refunds: Refund[] = [];
      const told = new Map<string, Refund>();
      for (const given of commands) {
        const change = changeOf(charge, refunds, given);
        charge = change?.charge ?? charge;
        const { refund } = change ?? {};
        if (refund !== undefined) refunds[Number(refund.id.slice(3))] = refund;
        for (const happening of change?.happenings ?? [])
          if ("refund" in happening) told.set(happening.refund.id, happening.refund);
      }

      const standing = refunds.filter(({ status }) => status !== "failed" && status !== "canceled");
      const sum = standing.reduce((total, { amount }) => total + amount, 0);
      expect(charge.amountRefunded ?? 0).toBe(sum);
      expect(refundableOf(charge)).toBe(100 - sum);
      expect(refundableOf(charge)).toBeGreaterThanOrEqual(0);
      expect([...told.values()]).toEqual(refunds);
    }),
  );
});

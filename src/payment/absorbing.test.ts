// Whatever snapshots come, in whatever order: what is final stays, and money is never lost sight of.
import fc from "fast-check";
import { expect, it } from "vitest";
import { isFinal, type Known, onSnapshot, type PaymentState, type Snapshot } from "./payment.ts";

const expected = { paymentId: "p1", amount: 1999, currency: "eur" };

const snapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    paymentIntentId: fc.constantFrom("pi_1", "pi_1", "pi_1", "pi_2"),
    status: fc.constantFrom(
      "requires_payment_method",
      "requires_confirmation",
      "requires_action",
      "processing",
      "requires_capture",
      "succeeded",
      "canceled",
      "requires_prayer",
    ),
    amount: fc.constantFrom(1999, 1999, 1999, 1998),
    currency: fc.constantFrom("eur", "eur", "eur", "usd"),
    paymentId: fc.constantFrom("p1", "p1", "p1", "p2"),
    declineCode: fc.option(fc.constantFrom("expired_card", "insufficient_funds")),
  })
  .map(({ amount, declineCode, ...rest }) =>
    Object.assign(
      rest,
      { amountReceived: rest.status === "succeeded" ? amount : 0 },
      declineCode === null ? {} : { declineCode },
    ),
  );

/** What becomes of a payment, and what operators heard of it. */
function after(snapshots: readonly Snapshot[]): Known & { readonly heard: readonly string[] } {
  let known: Known = { status: "PENDING_INITIATION", paymentIntentId: null };
  const heard: string[] = [];
  for (const seen of snapshots) {
    const decision = onSnapshot(known, seen, expected);
    const paymentIntentId = known.paymentIntentId ?? seen.paymentIntentId;
    if (decision.reviewReason) heard.push(decision.reviewReason);
    known = decision.change
      ? { status: decision.status, paymentIntentId }
      : { ...known, paymentIntentId };
  }
  return { ...known, heard };
}

it("a final status is left by nothing that comes after it", () => {
  fc.assert(
    fc.property(fc.array(snapshot), fc.array(snapshot), (first, then) => {
      const { status } = after(first);
      if (isFinal(status)) expect(after([...first, ...then]).status).toBe(status);
    }),
  );
});

it("a payment succeeds only by its own money, all of it", () => {
  fc.assert(
    fc.property(fc.array(snapshot), (snapshots) => {
      if (after(snapshots).status !== "SUCCEEDED") return;
      const own = snapshots[0]?.paymentIntentId;
      expect(snapshots).toContainEqual(
        expect.objectContaining({
          paymentIntentId: own,
          status: "succeeded",
          amountReceived: 1999,
          currency: "eur",
          paymentId: "p1",
        }),
      );
    }),
  );
});

it("money that comes is the payment's own, or operators hear of it, or it came before", () => {
  fc.assert(
    fc.property(fc.array(snapshot, { minLength: 1 }), snapshot, (before, last) => {
      fc.pre(last.amountReceived > 0);
      const [known, then] = [after(before), after([...before, last])];
      const settled: readonly PaymentState[] = ["SUCCEEDED", "REVIEW"];
      const isOwn = last.paymentIntentId === known.paymentIntentId;
      if (isOwn) expect([...settled, "CANCELLED"]).toContain(then.status);
      const isNew = !isOwn || !settled.includes(known.status);
      const isFine = isOwn && then.status === "SUCCEEDED";
      if (isNew && !isFine) expect(then.heard.length).toBeGreaterThan(known.heard.length);
    }),
  );
});

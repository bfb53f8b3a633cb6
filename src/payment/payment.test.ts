import { describe, expect, it } from "vitest";
import { Refusal } from "../platform/refusal.ts";
import { onSnapshot, type PaymentState, type Snapshot } from "./payment.ts";
import { fromStripeAmount, toStripeAmount } from "./stripe-amount.ts";

const expected = { paymentId: "p1", amount: 1999, currency: "eur" };
const aSnapshot = (change: Partial<Snapshot>): Snapshot => ({
  paymentIntentId: "pi_1",
  status: "succeeded",
  amountReceived: 1999,
  currency: "eur",
  paymentId: "p1",
  ...change,
});

const known = (status: PaymentState, paymentIntentId: string | null = "pi_1") => ({
  status,
  paymentIntentId,
});

describe("a PaymentIntent", () => {
  it.each<[string, Partial<Snapshot>, PaymentState]>([
    ["that waits for a method", { status: "requires_payment_method" }, "REQUIRES_PAYMENT_METHOD"],
    [
      "whose card was declined",
      { status: "requires_payment_method", declineCode: "expired_card" },
      "FAILED",
    ],
    ["that waits to be confirmed", { status: "requires_confirmation" }, "REQUIRES_PAYMENT_METHOD"],
    ["that waits for the customer", { status: "requires_action" }, "REQUIRES_ACTION"],
    ["that the bank works on", { status: "processing" }, "PROCESSING"],
    ["that is authorised", { status: "requires_capture" }, "AUTHORIZED"],
    ["that succeeded", {}, "SUCCEEDED"],
    ["that took another amount", { amountReceived: 1998 }, "REVIEW"],
    ["that took another currency", { currency: "usd" }, "REVIEW"],
    ["that belongs to another payment", { paymentId: "p2" }, "REVIEW"],
    ["that was cancelled", { status: "canceled" }, "CANCELLED"],
  ])("%s", (_what, change, status) => {
    const decision = onSnapshot(known("PENDING_INITIATION"), aSnapshot(change), expected);

    expect(decision).toMatchObject({ change: true, status });
  });

  it("of a status that did not exist when this was written changes nothing", () => {
    expect(
      onSnapshot(known("PROCESSING"), aSnapshot({ status: "requires_prayer" }), expected).change,
    ).toBe(false);
  });

  it.each(["SUCCEEDED", "CANCELLED", "REVIEW"] as const)(
    "comes too late for a payment that is %s",
    (status) => {
      expect(
        onSnapshot(
          known(status),
          aSnapshot({ status: "requires_payment_method", declineCode: "x" }),
          expected,
        ).change,
      ).toBe(false);
    },
  );

  it("that is not the payment's own is REVIEW where it took money, and no news where it took none", () => {
    const second = aSnapshot({ paymentIntentId: "pi_2" });
    const unpaid = { ...second, status: "processing", amountReceived: 0 };

    expect(onSnapshot(known("PROCESSING"), second, expected)).toMatchObject({ status: "REVIEW" });
    expect(onSnapshot(known("PROCESSING"), unpaid, expected).change).toBe(false);
    expect(onSnapshot(known("SUCCEEDED"), second, expected)).toMatchObject({
      change: false,
      reviewReason: expect.stringContaining("pi_2"),
    });
  });

  it("that took money after the payment was given up changes nothing, and operators are told", () => {
    expect(onSnapshot(known("CANCELLED"), aSnapshot({}), expected)).toMatchObject({
      change: false,
      reviewReason: expect.stringContaining("given up"),
    });
  });

  it("that took the money of a payment of which Stripe had nothing when it was given up makes it SUCCEEDED: Order gives it back", () => {
    const unheard = known("CANCELLED", null);
    const partly = aSnapshot({ amountReceived: 1 });

    expect(onSnapshot(unheard, aSnapshot({}), expected)).toMatchObject({ status: "SUCCEEDED" });
    expect(onSnapshot(unheard, partly, expected)).toMatchObject({
      change: false,
      reviewReason: expect.stringContaining("given up"),
    });
  });

  it("may succeed after it was refused", () => {
    expect(onSnapshot(known("FAILED"), aSnapshot({}), expected)).toMatchObject({
      status: "SUCCEEDED",
    });
  });
});

describe("an amount for Stripe", () => {
  it.each([
    ["EUR", 1999n, 1999],
    ["JPY", 1200n, 1200],
    ["KWD", 4500n, 4500],
    ["ISK", 500n, 50_000],
    ["UGX", 5000n, 500_000],
    ["MGA", 20_000n, 200],
  ])("of %s %s minor units", (currency, minorUnits, amount) => {
    expect(toStripeAmount(currency, minorUnits)).toBe(amount);
    expect(fromStripeAmount(currency, amount)).toBe(minorUnits);
  });

  it.each([
    ["nothing", "EUR", 0n],
    ["less than nothing", "EUR", -1n],
    ["too fine a part of a dinar", "KWD", 4501n],
    ["nine digits", "EUR", 100_000_000n],
    ["nine digits once converted", "ISK", 1_000_000n],
  ])("cannot be %s", (_what, currency, minorUnits) => {
    expect(() => toStripeAmount(currency, minorUnits)).toThrow(Refusal);
  });
});

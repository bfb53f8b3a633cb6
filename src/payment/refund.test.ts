import { describe, expect, it } from "vitest";
import { disputeStateOf, isDisputed } from "./dispute.ts";
import {
  refundCauseOf,
  refundedOf,
  refundStateOf,
  stripeReasonOf,
  sumOfRefunds,
} from "./refund.ts";

describe("a refund", () => {
  it.each([
    ["pending", "PENDING"],
    ["requires_action", "REQUIRES_ACTION"],
    ["succeeded", "SUCCEEDED"],
    ["failed", "FAILED"],
    ["canceled", "CANCELLED"],
    ["requires_prayer", undefined],
  ])("of Stripe's that is %s is %s", (stripes, ours) => {
    expect(refundStateOf(stripes)).toBe(ours);
  });

  it.each([
    ["REQUESTED_BY_CUSTOMER", "requested_by_customer"],
    ["DUPLICATE", "duplicate"],
    ["FRAUDULENT", "fraudulent"],
    ["LATE_PAYMENT", undefined],
    ["OTHER", undefined],
  ] as const)("for %s is one for %s at Stripe", (cause, reason) => {
    expect(stripeReasonOf(cause)).toBe(reason);
    if (reason !== undefined) expect(refundCauseOf(reason)).toBe(cause);
  });

  it("that Stripe itself made has a reason all the same", () => {
    expect(refundCauseOf("")).toBe("OTHER");
    expect(refundCauseOf("expired_uncaptured_charge")).toBe("OTHER");
  });

  it("takes its amount from what is left, until it failed; one that Stripe has not taken on is not given back yet", () => {
    const refunds = [
      { status: "PENDING_INITIATION", minorUnits: 1n },
      { status: "PENDING", minorUnits: 10n },
      { status: "REQUIRES_ACTION", minorUnits: 100n },
      { status: "SUCCEEDED", minorUnits: 1000n },
      { status: "FAILED", minorUnits: 10_000n },
      { status: "CANCELLED", minorUnits: 100_000n },
    ];

    expect(sumOfRefunds(refunds)).toBe(1111n);
    expect(refundedOf(refunds)).toBe(1110n);
  });
});

describe("a dispute", () => {
  it.each([
    ["warning_needs_response", "WARNING"],
    ["warning_under_review", "WARNING"],
    ["warning_closed", "WARNING_CLOSED"],
    ["prevented", "WARNING_CLOSED"],
    ["needs_response", "OPEN"],
    ["under_review", "OPEN"],
    ["appeal_needs_response", "OPEN"],
    ["appeal_under_review", "OPEN"],
    ["won", "WON"],
    ["lost", "LOST"],
    ["requires_prayer", undefined],
  ])("of Stripe's that is %s is %s", (stripes, ours) => {
    expect(disputeStateOf(stripes)).toBe(ours);
  });

  it.each([
    [[], false],
    [["WARNING", "WON", "WARNING_CLOSED"], false],
    [["WON", "OPEN"], true],
    [["LOST"], true],
  ])("among %s: the payment is disputed: %s", (statuses, disputed) => {
    expect(isDisputed(statuses.map((status) => ({ status })))).toBe(disputed);
  });
});

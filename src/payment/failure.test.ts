import { describe, expect, it } from "vitest";
import { consequenceOf, type Failure, type FailureFacts, FAILURES, failureOf } from "./failure.ts";

const facts = (change: Partial<FailureFacts>): FailureFacts => ({
  status: 400,
  code: undefined,
  isKeyMismatch: false,
  showsIntent: false,
  param: undefined,
  ...change,
});

const shown = { showsIntent: true };

describe("a call to Stripe that fails with", () => {
  it.each<[string, Partial<FailureFacts>, Failure, string]>([
    ["no answer", { status: undefined }, "answer_lost", "repeat"],
    ["409", { status: 409 }, "key_in_use", "wait"],
    ["other parameters", { isKeyMismatch: true }, "key_mismatch", "park"],
    ["402", { status: 402, ...shown }, "declined", "believe_intent"],
    ["402 and no PaymentIntent", { status: 402 }, "declined", "refused"],
    ["429", { status: 429 }, "rate_limited", "wait"],
    ["500", { status: 500 }, "server_error", "look"],
    ["503", { status: 503 }, "server_error", "look"],
    [
      "an unexpected state",
      { code: "payment_intent_unexpected_state", ...shown },
      "unexpected_state",
      "believe_intent",
    ],
    [
      "an unexpected state that is not shown",
      { code: "payment_intent_unexpected_state" },
      "unexpected_state",
      "look",
    ],
    ["401", { status: 401 }, "not_allowed", "refused"],
    ["403", { status: 403 }, "not_allowed", "refused"],
    ["400 for the method", { param: "payment_method" }, "wrong_method", "refused"],
    ["any other 400", {}, "wrong_request", "refused"],
    ["404", { status: 404 }, "wrong_request", "refused"],
  ])("%s", (_what, change, failure, consequence) => {
    const seen = facts(change);

    expect(failureOf(seen)).toBe(failure);
    expect(consequenceOf(failureOf(seen), seen)).toBe(consequence);
  });

  it("a status that no table knows may have been executed, so Stripe is asked what there is", () => {
    expect(failureOf(facts({ status: 302 }))).toBe("server_error");
  });
});

it("operators hear of what they alone can mend", () => {
  const told = Object.entries(FAILURES).filter(([, { tell }]) => tell);

  expect(told.map(([failure]) => failure)).toEqual([
    "key_mismatch",
    "not_allowed",
    "wrong_request",
  ]);
});

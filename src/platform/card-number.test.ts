// Card numbers are told from other numbers.
import { describe, expect, test } from "vitest";
import { isCardNumber } from "./card-number.ts";

/** https://docs.stripe.com/testing: by brand, co-branded, and numbers that end in a decline. */
const STRIPE_TEST_NUMBERS = [
  "4242424242424242",
  "4000056655665556",
  "5555555555554444",
  "2223003122003222",
  "5200828282828210",
  "5105105105105100",
  "378282246310005",
  "371449635398431",
  "6011111111111117",
  "6011000990139424",
  "6011981111111113",
  "3056930009020004",
  "36227206271667",
  "6555900000604105",
  "3566002020360505",
  "6200000000000005",
  "6200000000000047",
  "6205500000000000004",
  "4000002500001001",
  "5555552500001001",
  "4000000000000002",
  "4000000000009995",
  "4000002760003184",
];

describe("a card number is known", () => {
  test.each(STRIPE_TEST_NUMBERS)("%s", (number) => {
    expect(isCardNumber(number)).toBe(true);
  });

  test.each([
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    " 4242  4242 - 4242 4242\n",
    "4242\u00a04242\u20134242\u20144242",
    "4222222222222", // 13 digits, as the oldest Visa cards have
    "4000000000000000006", // 19 digits
  ])("written as %j", (text) => {
    expect(isCardNumber(text)).toBe(true);
  });
});

describe("no card number is", () => {
  test.each([
    ["a number whose check digit is wrong", "4242424242424241"],
    ["one of a range that no issuer has", "0000000000000000"],
    ["one that is too short", "422222222222"],
    ["one that is too long", "42424242424242424242"],
    ["one of a length that its issuer does not have", "5555555555555557772"],
    ["a text that holds one", "my card is 4242424242424242"],
    ["a token of Stripe", "pm_4242424242424242"],
    ["an ID", "01a20a84-b17b-768f-a6cf-4e7f5b755d98"],
    ["a number in E.164 form", "+4915112345678"],
    ["nothing", ""],
    ["only dashes", "--- ---"],
  ])("%s", (_, text) => {
    expect(isCardNumber(text)).toBe(false);
  });
});

test("phone numbers and article numbers are taken for cards one time in ten, so their fields must be exempt", () => {
  // German mobiles as people write them, 0049 1.. and 49 1..; German article numbers (EAN-13), which begin with 4.
  const looksLikeCard = (start: string, digits: number) =>
    Array.from(
      { length: 1000 },
      (_, n) => `${start}${String(n * 7919).padStart(digits, "0")}`,
    ).filter(isCardNumber).length;

  expect(looksLikeCard("49151", 8)).toBeGreaterThan(80);
  expect(looksLikeCard("40063", 8)).toBeGreaterThan(80);
});

test("a long text is judged in no time", () => {
  const before = performance.now();

  isCardNumber(`4${"2 ".repeat(500_000)}x`);

  expect(performance.now() - before).toBeLessThan(500);
});

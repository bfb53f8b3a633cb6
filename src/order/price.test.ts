import { describe, expect, it } from "vitest";
import { Refusal } from "../platform/refusal.ts";
import { mustBeExpected, price, type Price } from "./price.ts";

const priceBook = new Map<string, Price>(
  [
    { sku: "cup", name: "Cup", currencyCode: "EUR", minorUnits: 1250n },
    { sku: "mill", name: "Mill", currencyCode: "EUR", minorUnits: 8900n },
    { sku: "tea", name: "Tea", currencyCode: "JPY", minorUnits: 1200n },
    { sku: "sample", name: "Sample", currencyCode: "EUR", minorUnits: 0n },
    { sku: "yacht", name: "Yacht", currencyCode: "EUR", minorUnits: 90_000_000n },
  ].map((product) => [product.sku, product]),
);

const refusalOf = (work: () => unknown): Refusal => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error("it was not refused");
};

describe("an order is priced", () => {
  it("from the price book, line by line", () => {
    const priced = price(
      [
        { sku: "cup", quantity: 2 },
        { sku: "mill", quantity: 1 },
      ],
      priceBook,
    );

    expect(priced.currencyCode).toBe("EUR");
    expect(priced.totalMinorUnits).toBe(11_400n);
    expect(priced.items.map((item) => item.subtotalMinorUnits)).toEqual([2500n, 8900n]);
  });

  it.each([
    [
      "an unknown sku",
      [
        { sku: "cup", quantity: 1 },
        { sku: "pony", quantity: 1 },
      ],
      "items[1].sku",
    ],
    [
      "two currencies",
      [
        { sku: "cup", quantity: 1 },
        { sku: "tea", quantity: 1 },
      ],
      "items[1].sku",
    ],
    ["a total of nothing", [{ sku: "sample", quantity: 3 }], "items"],
    ["a total over the limit", [{ sku: "yacht", quantity: 2 }], "items"],
  ])("but not with %s", (_what, items, field) => {
    const refusal = refusalOf(() => price(items, priceBook));

    expect(refusal.code).toBe("invalid_argument");
    expect(refusal.field).toBe(field);
  });
});

describe("the total that the customer was shown", () => {
  const priced = price([{ sku: "cup", quantity: 2 }], priceBook);

  it("may be left out, or be right", () => {
    mustBeExpected(priced, undefined);
    mustBeExpected(priced, { currencyCode: "EUR", minorUnits: 2500n });
  });

  it.each([
    ["amount", { currencyCode: "EUR", minorUnits: 2400n }],
    ["currency", { currencyCode: "JPY", minorUnits: 2500n }],
  ])("of another %s is refused, and both totals are told", (_what, expected) => {
    const refusal = refusalOf(() => mustBeExpected(priced, expected));

    expect(refusal).toMatchObject({ code: "failed_precondition", reason: "PRICE_CHANGED" });
    expect(refusal.message).toContain("2500");
    expect(refusal.message).toContain(String(expected.minorUnits));
  });
});

import { describe, expect, it } from "vitest";
import { Refusal } from "../platform/refusal.ts";
import { orderNumber } from "./number.ts";
import { onPaymentStatus, price, type OrderState, type Price } from "./order.ts";

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

describe("a payment's news", () => {
  const news = (
    status: OrderState,
    orderAttempt: number,
    payment: "SUCCEEDED" | "FAILED" | "REQUIRES_ACTION",
    attempt: number,
  ) =>
    onPaymentStatus(
      { status, attemptNumber: orderAttempt },
      { status: payment, attemptNumber: attempt },
    );

  it("pays a pending order", () =>
    expect(news("PENDING", 1, "SUCCEEDED", 1)).toEqual({ change: true, status: "PAID" }));
  it("fails a pending order", () =>
    expect(news("PENDING", 1, "FAILED", 1)).toEqual({ change: true, status: "FAILED" }));
  it("pays an order that had failed", () =>
    expect(news("FAILED", 1, "SUCCEEDED", 1)).toEqual({ change: true, status: "PAID" }));
  it("of an older attempt is ignored", () =>
    expect(news("PENDING", 2, "FAILED", 1).change).toBe(false));
  it("of an older attempt counts, when money came in", () =>
    expect(news("PENDING", 2, "SUCCEEDED", 1)).toEqual({ change: true, status: "PAID" }));

  it.each(["PAID", "CANCELLED", "EXPIRED"] as const)(
    "changes nothing of an order that is %s",
    (status) => {
      expect(news(status, 1, "FAILED", 1).change).toBe(false);
      expect(news(status, 1, "SUCCEEDED", 1).change).toBe(false);
    },
  );
});

describe("an order's number", () => {
  it("is ten letters and digits that can be read aloud", () => {
    expect(orderNumber(new Uint8Array([0, 1, 9, 10, 31, 32, 255, 18, 19, 20]))).toBe(
      "019A-Z0ZJ-KM",
    );
  });
});

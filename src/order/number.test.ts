import { describe, expect, it } from "vitest";
import { orderNumber } from "./number.ts";

describe("an order's number", () => {
  it("is ten letters and digits that can be read aloud", () => {
    expect(orderNumber(new Uint8Array([0, 1, 9, 10, 31, 32, 255, 18, 19, 20]))).toBe(
      "019A-Z0ZJ-KM",
    );
  });
});

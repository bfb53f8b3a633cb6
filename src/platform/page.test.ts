import { describe, expect, it } from "vitest";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "./page.ts";

const ids = ["01990000-0000-7000-8000-000000000001", "01990000-0000-7000-8000-000000000002"];

describe("a page token", () => {
  const { page, nextPageToken } = cutPage(ids, 1, (id) => id, "orders:alice");

  it("leads to the row after the page", () => {
    expect(page).toEqual([ids[0]]);
    expect(readPageToken(nextPageToken, "orders:alice", ID_KEY)).toBe(ids[0]);
  });
  it("is empty on the last page", () =>
    expect(cutPage(ids, 2, (id) => id, "").nextPageToken).toBe(""));
  it("is not good for another list", () =>
    expect(() => readPageToken(nextPageToken, "orders:bob", ID_KEY)).toThrow(/page_token/));

  it.each(["x", "bm90IGpzb24", Buffer.from('["\' or 1=1","orders:alice"]').toString("base64url")])(
    "cannot be made up: %s",
    (token) => {
      expect(() => readPageToken(token, "orders:alice", ID_KEY)).toThrow(/page_token/);
    },
  );
});

it("a page size of 0 is the default, and one over the limit is the limit", () => {
  expect([0, 7, 1_000_000].map(pageSizeOf)).toEqual([50, 7, 100]);
});

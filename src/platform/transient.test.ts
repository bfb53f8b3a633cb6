// Which failures may go away by themselves.
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { isTransient } from "./transient.ts";

const withCode = (code: string, cause?: unknown) =>
  Object.assign(new Error("failed", { cause }), { code });

test.each([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "CONNECTION_CLOSED",
  "CONNECT_TIMEOUT",
])("a connection that fails with %s may work again", (code) => {
  expect(isTransient(withCode(code))).toBe(true);
});

test.each([
  "40001",
  "40P01",
  "53300",
  "53100",
  "58030",
  "25006",
  "55P03",
  "57014",
  "57P01",
  "57P03",
  "08006",
])("PostgreSQL's %s goes away", (code) => {
  expect(isTransient(withCode(code))).toBe(true);
});

test.each(["23505", "42P01", "22P02", "ENOENT", "55000"])("%s stays", (code) => {
  expect(isTransient(withCode(code))).toBe(false);
});

test("what others wrapped is found", () => {
  expect(isTransient(new Error("failed query", { cause: withCode("40001") }))).toBe(true);
  expect(isTransient(new AggregateError([withCode("ECONNREFUSED")]))).toBe(true);
});

test("a service that is unavailable or late may answer later; its other answers stand", () => {
  expect(isTransient(new ConnectError("", Code.Unavailable))).toBe(true);
  expect(isTransient(new ConnectError("", Code.DeadlineExceeded))).toBe(true);
  expect(isTransient(new ConnectError("", Code.NotFound))).toBe(false);
});

test("a chain of causes that goes round in a circle ends", () => {
  const error = new Error("first");
  error.cause = new Error("second", { cause: error });

  expect(isTransient(error)).toBe(false);
});

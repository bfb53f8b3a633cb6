// Which route answers which path: the most specific, on the raw path, with registered verbs only.
import { describe, expect, it } from "vitest";
import { parseTemplate } from "./template.ts";
import { RouteTrie } from "./trie.ts";

function trieOf(...rules: string[]): RouteTrie<string> {
  const trie = new RouteTrie<string>();
  for (const rule of rules) {
    const [method = "", template = ""] = rule.split(" ");
    trie.add(method, parseTemplate(template), rule);
  }
  return trie;
}

const trie = trieOf(
  "GET /v1/orders",
  "POST /v1/orders",
  "GET /v1/orders/{order_id}",
  "POST /v1/orders/{order_id}:pay",
  "GET /v1/orders/{order_id}/payment",
  "GET /v1/orders/latest",
  "GET /v1/{name=files/**}",
  "POST /v1/{name=files/**}:copy",
  "PUT /v1/files/{a}",
  "DELETE /v1/*/latest",
  "GET /only/**",
  "* /any/{a}",
  "GET /any/{a}",
);

const found: readonly [method: string, path: string, rule: string][] = [
  ["GET", "/v1/orders", "GET /v1/orders"],
  ["POST", "/v1/orders", "POST /v1/orders"],
  ["GET", "/v1/orders/7", "GET /v1/orders/{order_id}"],
  ["GET", "/v1/orders/latest", "GET /v1/orders/latest"],
  ["GET", "/v1/orders/latest/payment", "GET /v1/orders/{order_id}/payment"],
  ["GET", "/v1/orders/a:b", "GET /v1/orders/{order_id}"],
  ["GET", "/v1/orders/a%3Apay", "GET /v1/orders/{order_id}"],
  ["GET", "/v1/orders/a%2Fb", "GET /v1/orders/{order_id}"],
  ["POST", "/v1/orders/7:pay", "POST /v1/orders/{order_id}:pay"],
  ["POST", "/v1/orders/a:b:pay", "POST /v1/orders/{order_id}:pay"],
  ["GET", "/v1/files", "GET /v1/{name=files/**}"],
  ["GET", "/v1/files/a", "GET /v1/{name=files/**}"],
  ["GET", "/v1/files/a/b/c", "GET /v1/{name=files/**}"],
  ["PUT", "/v1/files/a", "PUT /v1/files/{a}"],
  ["GET", "/v1/files/a:pay", "GET /v1/{name=files/**}"],
  ["POST", "/v1/files/a/b:copy", "POST /v1/{name=files/**}:copy"],
  ["POST", "/v1/files:copy", "POST /v1/{name=files/**}:copy"],
  ["DELETE", "/v1/orders/latest", "DELETE /v1/*/latest"],
  ["GET", "/only", "GET /only/**"],
  ["GET", "/any/1", "GET /any/{a}"],
  ["PROPFIND", "/any/1", "* /any/{a}"],
];

const nothing = [
  "/",
  "/v1",
  "/v1/orders/",
  "/v1//orders",
  "//v1/orders",
  "/V1/orders",
  "/v1/orders/7/",
  "/v1/files/",
  "/v1/orders/:pay/x",
];

const wrongMethod: readonly [method: string, path: string, allowed: string[]][] = [
  ["DELETE", "/v1/orders", ["GET", "POST"]],
  ["GET", "/v1/orders/7:pay", ["POST"]],
  ["PATCH", "/v1/files/a", ["PUT", "GET"]],
  ["POST", "/v1/orders/latest", ["GET", "DELETE"]],
];

describe("a request finds its route", () => {
  it.each(found)("%s %s -> %s", (method, path, rule) => {
    expect(trie.find([method], path)).toMatchObject({ kind: "found", route: rule });
  });

  it.each(nothing)("%s is no route", (path) => {
    expect(trie.find(["GET"], path).kind).toBe("none");
  });

  it.each(wrongMethod)("%s %s is known for other methods", (method, path, allowed) => {
    expect(trie.find([method], path)).toEqual({ kind: "wrong_method", allowed });
  });

  it("the root belongs to a template that takes everything", () => {
    expect(trieOf("GET /**").find(["GET"], "/").kind).toBe("found");
  });

  it("two rules for the same requests are told at start", () => {
    const both = trieOf("GET /v1/{a}/x:y");
    expect(both.add("GET", parseTemplate("/v1/*/x:y"), "other")).toBe("GET /v1/{a}/x:y");
    expect(both.add("PUT", parseTemplate("/v1/{b}/x:y"), "other")).toBeUndefined();
  });
});

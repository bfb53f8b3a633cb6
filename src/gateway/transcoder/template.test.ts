// Path templates against the grammar of google/api/http.proto.
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseTemplate } from "./template.ts";
import { RouteTrie } from "./trie.ts";

const allowed = [
  "/v1/orders",
  "/v1/*",
  "/v1/**",
  "/**",
  "/v1/{order_id}",
  "/v1/{order_id}:pay",
  "/v1/notifications:sendEmail",
  "/v1/{name=projects/*/books/*}/pages",
  "/v1/{name=shelves/**}",
  "/v1/{name=shelves/**}:archive",
  "/v1/{book.author.name=authors/*}",
  "/v1/{a}/{b}",
  "/a.b-c_d~e/%20",
];

const refused: readonly [template: string, why: RegExp][] = [
  ["", /does not start/],
  ["v1/orders", /does not start/],
  ["/", /empty segment/],
  ["/v1/", /empty segment/],
  ["/v1//orders", /empty segment/],
  ["/v1/orders:", /malformed verb/],
  ["/v1/orders:pay:now", /malformed segment/],
  ["/v1/**/orders", /after "\*\*"/],
  ["/v1/{a=**}/orders", /after "\*\*"/],
  ["/v1/{a=**/b}", /after "\*\*"/],
  ["/v1/{a}{b}", /field path|malformed/],
  ["/v1/x{a}", /malformed segment/],
  ["/v1/{a}x", /malformed variable/],
  ["/v1/{a", /malformed variable/],
  ["/v1/a}", /malformed segment/],
  ["/v1/{}", /field path/],
  ["/v1/{a=}", /empty segment/],
  ["/v1/{a..b}", /field path/],
  ["/v1/{1a}", /field path/],
  ["/v1/{a={b}}", /variable within/],
  ["/v1/{a=x/{b=*}}", /variable within/],
  ["/v1/{a}/{a}", /binds a twice/],
  ["/v1/a b", /malformed segment/],
  ["/v1/a?b", /malformed segment/],
  ["/v1/***", /malformed segment/],
  ["/v1/a*", /malformed segment/],
  ["/v1/%zz", /malformed segment/],
];

describe("a path template", () => {
  it.each(allowed)("may be %s", (template) => {
    expect(parseTemplate(template).source).toBe(template);
  });

  it.each(refused)("may not be %s", (template, why) => {
    expect(() => parseTemplate(template)).toThrow(why);
  });

  it("says which segments each variable captures", () => {
    const { variables, verb } = parseTemplate("/v1/{a}/x/{b=c/*}/{d=e/**}:f");
    expect(verb).toBe("f");
    expect(variables).toEqual([
      { field: "a", start: 1, end: 2, several: false },
      { field: "b", start: 3, end: 5, several: true },
      { field: "d", start: 5, end: undefined, several: true },
    ]);
  });
});

// What Google publishes after "**", although its own http.proto forbids it.
const FORBIDDEN = [
  "/v1/{name=projects/*/locations/*/keyRings/*/cryptoKeys/**}/protectedResourcesSummary",
  "/v1/{name=projects/*/locations/*/schemaRegistries/*/contexts/*/schemas/**}/schema",
  "/v1/{name=projects/*/locations/*/schemaRegistries/*/schemas/**}/schema",
  "/v1/{parent=projects/*/databases/*/documents/**}/{collection_id}",
  "/v1/{parent=projects/*/databases/*/documents/*/**}/{collection_id}",
  "/v1/{parent=projects/*/locations/*/dataStores/**}/suggestionDenyListEntries:purge",
  "/v1/{parent=projects/*/locations/*/schemaRegistries/*/contexts/*/schemas/**}/subjects",
  "/v1/{parent=projects/*/locations/*/schemaRegistries/*/contexts/*/schemas/**}/versions",
  "/v1/{parent=projects/*/locations/*/schemaRegistries/*/schemas/**}/subjects",
  "/v1/{parent=projects/*/locations/*/schemaRegistries/*/schemas/**}/versions",
  "/v1alpha/{parent=projects/*/locations/*/dataStores/**}/suggestionDenyListEntries:purge",
  "/v1beta/{parent=projects/*/locations/*/dataStores/**}/suggestionDenyListEntries:purge",
  "/v1beta1/{parent=projects/*/databases/*/documents/**}/{collection_id}",
  "/v1beta1/{parent=projects/*/databases/*/documents/*/**}/{collection_id}",
  "/v1test2/{name=**/botSessions/*}",
  "/v1test2/{parent=**}/botSessions",
];
// Two RPCs of one service that answer the same requests; all in BigQuery Storage, which is only called over gRPC.
const AMBIGUOUS = ["SplitReadStream", "GetWriteStream", "FinalizeWriteStream", "FlushRows"];

describe("the contracts that Google publishes", () => {
  const folder = new URL("../../../node_modules/google-proto-files/", import.meta.url);
  const refusals = new Set<string>();
  const conflicts = new Set<string>();
  let templates = 0;

  for (const file of globSync("g*/**/*.proto", { cwd: folder })) {
    const text = readFileSync(new URL(file, folder), "utf8");
    if (!text.includes("google.api.http)")) continue;
    for (const service of text
      .replaceAll(/^\s*\/\/.*$/gm, "")
      .split(/^service /m)
      .slice(1))
      readService(service);
  }

  function readService(service: string): void {
    const trie = new RouteTrie<string>();
    let rpc = "";
    const pattern = /\brpc (\w+)|\b(get|put|post|delete|patch|path)\s*:\s*((?:"[^"]*"\s*)+)/g;
    for (const [, name, method = "", quoted = ""] of service.matchAll(pattern)) {
      if (name !== undefined) {
        rpc = name;
        continue;
      }
      const template = quoted.replaceAll(/"\s*"|^"|"\s*$/g, "");
      templates++;
      try {
        if (trie.add(method, parseTemplate(template), rpc) !== undefined) conflicts.add(rpc);
      } catch {
        refusals.add(template);
      }
    }
  }

  it("all compile, save those that http.proto forbids", () => {
    expect(templates).toBeGreaterThan(15_000);
    expect([...refusals].toSorted()).toEqual(FORBIDDEN);
  });

  it("hold no two RPCs that answer the same requests, save for four", () => {
    expect([...conflicts].toSorted()).toEqual(AMBIGUOUS.toSorted());
  });
});

// What the edge refuses by itself, and the methods, media types and deadlines it understands.
import { describe, expect, it } from "vitest";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { ask, recording } from "./library.fixture.ts";

const waybill = [OrderService];
const order = "/v1/orders/0198c0de-0000-7000-8000-000000000000";

const edge: readonly [
  what: string,
  asked: Parameters<typeof ask>[1],
  status: number,
  code: string,
][] = [
  ["no such route", { url: "/v1/nothing" }, 404, "not_found"],
  ["a trailing slash", { url: "/v1/orders/" }, 404, "not_found"],
  ["the wrong method", { url: "/v1/orders", method: "DELETE" }, 405, "unimplemented"],
  ["a malformed escape in the path", { url: "/v1/orders/%zz" }, 400, "invalid_argument"],
  ["an escape in the path that is not UTF-8", { url: "/v1/orders/%ff" }, 400, "invalid_argument"],
  ["raw bytes in the path", { url: "/v1/orders/\u00e9" }, 400, "invalid_argument"],
  ["a malformed escape in the query", { url: "/v1/orders?page_token=%z" }, 400, "invalid_argument"],
  [
    "a body where none is declared",
    { url: order, method: "GET", json: "{}" },
    400,
    "invalid_argument",
  ],
  [
    "a body that is no JSON by its type",
    { url: "/v1/orders", json: "{}", headers: { "content-type": "text/plain" } },
    415,
    "invalid_argument",
  ],
  [
    "a body of another charset",
    {
      url: "/v1/orders",
      json: "{}",
      headers: { "content-type": "application/json; charset=latin1" },
    },
    415,
    "invalid_argument",
  ],
  [
    "a compressed body",
    { url: "/v1/orders", json: "{}", headers: { "content-encoding": "gzip" } },
    415,
    "invalid_argument",
  ],
  [
    "a body over the limit",
    { url: "/v1/orders", json: `"${"x".repeat(1000)}"` },
    413,
    "resource_exhausted",
  ],
  [
    "a timeout that does not read",
    { url: order, headers: { "grpc-timeout": "soon" } },
    400,
    "invalid_argument",
  ],
  [
    "a deadline that has passed",
    { url: order, headers: { "connect-timeout-ms": "0" } },
    504,
    "deadline_exceeded",
  ],
];

describe("the edge refuses by itself", () => {
  it.each(edge)("%s", async (_, asked, status, code) => {
    const { transcoder, calls } = recording(waybill, { maxBodyBytes: 1000 });
    const answer = await ask(transcoder, asked);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json).toMatchObject({
      status,
      code,
      request_id: "request-1",
      type: "about:blank",
    });
    expect(answer.status).toBe(status);
    expect(calls).toEqual([]);
  });

  it("says which methods a path takes", async () => {
    const { transcoder } = recording(waybill);
    const refused = await ask(transcoder, { url: "/v1/orders", method: "PUT" });
    expect(refused.headers["allow"]).toBe("GET, HEAD, OPTIONS, POST");
    const options = await ask(transcoder, { url: "/v1/orders", method: "OPTIONS" });
    expect(options).toMatchObject({
      status: 204,
      text: "",
      headers: { allow: "GET, HEAD, OPTIONS, POST" },
    });
    expect((await ask(transcoder, { url: "/nothing", method: "OPTIONS" })).status).toBe(404);
  });

  it("answers HEAD like GET, without the body", async () => {
    const { transcoder, calls } = recording(waybill);
    const answer = await ask(transcoder, { url: order, method: "HEAD" });
    expect(answer).toMatchObject({ status: 200, text: "", headers: { "content-length": "2" } });
    expect(calls).toHaveLength(1);
    const refused = await ask(transcoder, { url: "/nothing", method: "HEAD" });
    expect(refused).toMatchObject({ status: 404, text: "" });
  });

  it.each(["application/json", "application/json; charset=UTF-8", "application/merge-patch+json"])(
    "takes a body of type %s",
    async (type) => {
      const { transcoder } = recording(waybill);
      const answer = await ask(transcoder, {
        url: "/v1/orders",
        json: "{}",
        headers: { "content-type": type },
      });
      expect(answer.status).toBe(200);
    },
  );
});

const deadlines: readonly [headers: Record<string, string>, timeoutMs: number | undefined][] = [
  [{}, 5000],
  [{ "connect-timeout-ms": "1500" }, 1500],
  [{ "grpc-timeout": "2S" }, 2000],
  [{ "grpc-timeout": "250m" }, 250],
  [{ "x-server-timeout": "1.25" }, 1250],
  [{ "x-server-timeout": "3", "grpc-timeout": "1S" }, 1000],
  [{ "grpc-timeout": "99999999H" }, 10_000],
];

describe("a caller's deadline goes on to the RPC", () => {
  it.each(deadlines)("%j", async (headers, timeoutMs) => {
    const { transcoder, calls } = recording(waybill, {
      defaultTimeoutMs: 5000,
      maxTimeoutMs: 10_000,
    });
    await ask(transcoder, { url: order, headers });
    expect(calls[0]?.timeoutMs).toBe(timeoutMs);
  });
});

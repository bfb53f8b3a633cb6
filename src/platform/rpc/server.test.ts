// Every protocol on one port, spoken by clients of other makes.
import { once } from "node:events";
import { connect } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { CatalogService } from "../../../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { createTokenVerifier } from "../access/token.ts";
import { Refusal } from "../refusal.ts";
import { connectTo, handOn } from "./client.ts";
import { principalOf } from "./server.ts";
import { callForeign, openForeign, openServing, pathOf, postJson } from "./serving.fixture.ts";

const ORDER_ID = "0190b0a0-0000-7000-8000-000000000000";
const { getOrder } = OrderService.method;

/** Gives every order that is asked for. */
const routes = (router: ConnectRouter): void => {
  router.service(OrderService, { getOrder: ({ orderId }) => ({ order: { id: orderId } }) });
  router.service(CatalogService, { listProducts: () => ({ products: [] }) });
};

describe("one port", () => {
  test("answers a gRPC client of another make", async () => {
    await using serving = await openServing({ routes });
    const client = openForeign(serving);

    const { order } = await callForeign(client, getOrder, { orderId: ORDER_ID }, serving.customer);

    expect(order?.id).toBe(ORDER_ID);
    await expect(callForeign(client, getOrder, { orderId: ORDER_ID })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    client.close();
  });

  test("answers JSON over HTTP/1.1, with the request ID, and readable details of an error", async () => {
    await using serving = await openServing({ routes });
    const url = `${serving.server.url}${pathOf(getOrder)}`;

    const good = await postJson(
      url,
      { orderId: ORDER_ID },
      { authorization: serving.customer, "x-request-id": "r-1" },
    );
    const bad = await postJson(url, {}, { authorization: serving.customer });

    expect(await good.json()).toEqual({ order: { id: ORDER_ID } });
    expect(good.headers.get("x-request-id")).toBe("r-1");
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({
      code: "invalid_argument",
      details: [
        { type: "google.rpc.BadRequest", debug: { fieldViolations: [{ field: "order_id" }] } },
      ],
    });
  });

  test("answers gRPC-Web and a GET", async () => {
    await using serving = await openServing({ routes });
    const list = `${serving.server.url}/waybill.order.v1.CatalogService/ListProducts`;

    const web = await fetch(list, {
      method: "POST",
      body: new Uint8Array(5),
      headers: { "content-type": "application/grpc-web+proto" },
    });
    const get = await fetch(`${list}?encoding=json&connect=v1&message=${encodeURIComponent("{}")}`);

    expect(await web.text()).toContain("grpc-status: 0");
    expect(await get.json()).toEqual({});
  });

  test("serves plain HTTP routes, whose body parsers touch no RPC", async () => {
    await using serving = await openServing({
      routes,
      http(app) {
        app.removeAllContentTypeParsers();
        app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) =>
          done(null, body),
        );
        app.post("/webhooks/stripe", (request) => ({ length: (request.body as Buffer).length }));
      },
    });

    const webhook = await postJson(`${serving.server.url}/webhooks/stripe`, { a: 1 });
    const rpc = await postJson(`${serving.server.url}/grpc.health.v1.Health/Check`, {});

    expect(await webhook.json()).toEqual({ length: 7 });
    expect(await rpc.json()).toEqual({ status: "SERVING" });
  });

  test("runs hooks around everything, RPCs too", async () => {
    await using serving = await openServing({
      routes,
      hooks: (app) => {
        app.addHook("onRequest", (_request, reply, done) => {
          void reply.header("x-hook", "seen");
          done();
        });
      },
    });

    const rpc = await postJson(`${serving.server.url}/grpc.health.v1.Health/Check`, {});

    expect(rpc.headers.get("x-hook")).toBe("seen");
  });

  test("waits for enough bytes to tell the protocols apart, and closes a connection that ends before", async () => {
    await using serving = await openServing({ routes });
    const slow = connect(serving.server.port, "127.0.0.1");
    slow.setNoDelay(true).write("P");
    const early = connect(serving.server.port, "127.0.0.1");
    early.end("PR");

    await once(early.resume(), "close");
    slow.write("OST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
    slow.write("content-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    const [answer] = (await once(slow, "data")) as [Buffer];

    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200/);
    slow.destroy();
  });

  test("refuses a message over the limit", async () => {
    await using serving = await openServing({ routes, bodyLimitBytes: 100 });

    const answer = await postJson(`${serving.server.url}${pathOf(getOrder)}`, {
      orderId: "x".repeat(200),
    });

    expect(await answer.json()).toMatchObject({ code: "resource_exhausted" });
  });
});

describe("a call", () => {
  test("tells the handler who makes it, and the log who and how it ended", async () => {
    let seen: unknown;
    await using serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          getOrder(_request, context) {
            seen = principalOf(context);
            return {};
          },
        });
      },
    });

    await postJson(
      `${serving.server.url}${pathOf(getOrder)}`,
      { orderId: ORDER_ID },
      { authorization: serving.customer },
    );

    expect(seen).toEqual({ kind: "customer", id: "c1" });
    expect(serving.lines).toContainEqual(
      expect.objectContaining({
        msg: "call",
        code: "ok",
        principal: "customer",
        principalId: "c1",
      }),
    );
  });

  test("goes through a gateway with the caller's own token, and the answer comes back as it was", async () => {
    await using behind = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          getOrder(_request, context) {
            throw new Refusal("not_found", `${principalOf(context).kind} c1 has no such order`);
          },
        });
      },
    });
    const url = behind.server.url;
    const orders = connectTo(OrderService, { url, audience: "order", timeoutMs: 5_000 });
    await using gateway = await openServing({
      role: "gateway",
      verifier: await createTokenVerifier({ audience: "gateway", ...behind.issuer }),
      routes: (router) => {
        router.service(OrderService, {
          getOrder: (request, context) => {
            const authorization = context.requestHeader.get("authorization") ?? "";
            return orders.getOrder(request, { ...handOn(context), headers: { authorization } });
          },
        });
      },
    });

    const answer = await postJson(
      `${gateway.server.url}${pathOf(getOrder)}`,
      { orderId: ORDER_ID },
      { authorization: behind.customer, "x-request-id": "r-9" },
    );

    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      code: "not_found",
      message: "customer c1 has no such order",
    });
    expect(behind.lines).toContainEqual(expect.objectContaining({ msg: "call", requestId: "r-9" }));
  });
});

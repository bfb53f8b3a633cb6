// What a stop does to calls, connections and watchers, on a real port.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponseSchema,
} from "../../../gen/health/v1/health_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { callForeign, openForeign, openServing, pathOf, postJson } from "./serving.fixture.ts";

const ORDER_ID = "0190b0a0-0000-7000-8000-000000000000";
const { getOrder } = OrderService.method;

/** Gives every order that is asked for. */
const routes = (router: ConnectRouter): void => {
  router.service(OrderService, { getOrder: ({ orderId }) => ({ order: { id: orderId } }) });
};

describe("a stop", () => {
  test("is quick with idle clients of either protocol connected", async () => {
    const serving = await openServing({ routes });
    const client = openForeign(serving);
    await callForeign(client, getOrder, { orderId: ORDER_ID }, serving.customer);
    await postJson(`${serving.server.url}/grpc.health.v1.Health/Check`, {});
    const silent = connect(serving.server.port, "127.0.0.1");
    await once(silent, "connect");
    const startedAt = performance.now();

    await serving[Symbol.asyncDispose]();

    expect(performance.now() - startedAt).toBeLessThan(2_000);
    client.close();
    silent.destroy();
  });

  test("lets an open call end, tells its peer to go, and accepts no other", async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          async getOrder({ orderId }) {
            entered.resolve();
            await release.promise;
            return { order: { id: orderId } };
          },
        });
      },
    });
    const client = openForeign(serving);
    const watching = connectHttp2(serving.server.url);
    const goaway = once(watching, "goaway");
    const open = callForeign(client, getOrder, { orderId: ORDER_ID }, serving.customer);
    await entered.promise;

    const stopped = serving[Symbol.asyncDispose]();
    await goaway;
    await expect(fetch(serving.server.url)).rejects.toThrow();
    release.resolve();

    expect((await open).order?.id).toBe(ORDER_ID);
    await stopped;
    client.close();
  });

  test("tells those who watch its health", async () => {
    const serving = await openServing({ routes });
    const client = openForeign(serving);
    const seen: Status[] = [];
    const call = client.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      (service: string) =>
        Buffer.from(
          toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })),
        ),
      (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes).status,
      "waybill.order.v1.OrderService",
    );
    const first = Promise.withResolvers<void>();
    call.on("data", (one: Status) => {
      seen.push(one);
      first.resolve();
    });
    const ended = once(call, "end");
    await first.promise;

    await serving[Symbol.asyncDispose]();
    await ended;

    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
    client.close();
  });

  test("waits for a handler whose caller has got its DEADLINE_EXCEEDED already", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let done = false;
    const serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          async getOrder() {
            await promise;
            done = true;
            return {};
          },
        });
      },
    });
    const headers = { authorization: serving.customer, "connect-timeout-ms": "30" };

    const answer = await postJson(
      `${serving.server.url}${pathOf(getOrder)}`,
      { orderId: ORDER_ID },
      headers,
    );
    expect(answer.status).toBe(504);
    expect(done).toBe(false);

    const stopped = serving[Symbol.asyncDispose]();
    resolve();
    await stopped;
    expect(done).toBe(true);
  });
});

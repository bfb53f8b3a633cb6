// How a client finds its service, hands on what it was given, and tells what went wrong, on a real port.
import { Code, ConnectError, createContextValues, type ConnectRouter } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../gen/health/v1/health_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentService } from "../../../gen/waybill/payment/v1/payment_service_pb.js";
import type { Principal } from "../access/principal.ts";
import { createTokenVerifier } from "../access/token.ts";
import { Refusal } from "../refusal.ts";
import { currentTrace, runInTrace } from "../trace.ts";
import { connectTo, handOn, onBehalfOfKey } from "./client.ts";
import { serve } from "./server.ts";
import { openServing, type Serving } from "./serving.fixture.ts";
import { principalOf } from "./principal.ts";

const ORDER_ID = "0190b0a0-0000-7000-8000-000000000000";
const TIMEOUT_MS = 5_000;

/** The Order service's client of `serving`, with a customer's token. */
const ordersOf = ({ server, customer }: Serving, timeoutMs = TIMEOUT_MS) => {
  const client = connectTo(OrderService, { url: server.url, audience: "order", timeoutMs });
  const headers = { authorization: customer };
  return { client, headers, get: () => client.getOrder({ orderId: ORDER_ID }, { headers }) };
};

const restart = async (serving: Serving, routes: (router: ConnectRouter) => void) =>
  serve({
    service: "order",
    host: "127.0.0.1",
    port: serving.server.port,
    routes,
    verifier: await createTokenVerifier({ audience: "order", ...serving.issuer }),
    ready: () => Promise.resolve(true),
    log: serving.log,
  });

const answering = (router: ConnectRouter): void => {
  router.service(OrderService, { getOrder: () => ({ order: { id: ORDER_ID } }) });
};

describe("a client", () => {
  test("calls as its service, for a customer, in its trace", async () => {
    let seen: { principal: Principal; requestId: string | undefined } | undefined;
    await using serving = await openServing({
      routes: (router) => {
        router.service(PaymentService, {
          checkPaymentStatus(_request, context) {
            seen = { principal: principalOf(context), requestId: currentTrace()?.requestId };
            return {};
          },
        });
      },
    });
    const { server, minter } = serving;
    const client = connectTo(PaymentService, {
      url: server.url,
      audience: "order",
      minter,
      timeoutMs: TIMEOUT_MS,
    });
    const contextValues = createContextValues().set(onBehalfOfKey, "c1");

    await runInTrace(
      { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, requestId: "r-1" },
      () => client.checkPaymentStatus({ paymentId: ORDER_ID }, { contextValues }),
    );

    expect(seen).toEqual({
      principal: { kind: "service", id: "order", onBehalfOf: "c1" },
      requestId: "r-1",
    });
    expect(serving.lines).toContainEqual(
      expect.objectContaining({ traceparent: expect.stringContaining("a".repeat(32)) }),
    );
  });

  test("finds its service again after a restart", async () => {
    await using serving = await openServing({ routes: answering });
    const { get } = ordersOf(serving);
    await get();

    await serving.server[Symbol.asyncDispose]();
    await expect(get()).rejects.toMatchObject({ code: Code.Unavailable, audience: "order" });
    await using again = await restart(serving, answering);

    expect((await get()).order?.id).toBe(ORDER_ID);
    expect(again.port).toBe(serving.server.port);
  });

  test("tries an idempotent call again", async () => {
    let calls = 0;
    await using serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          getOrder() {
            calls += 1;
            if (calls < 3) throw new ConnectError("starting", Code.Unavailable);
            return { order: { id: ORDER_ID } };
          },
        });
      },
    });

    expect((await ordersOf(serving).get()).order?.id).toBe(ORDER_ID);
    expect(calls).toBe(3);
  });

  test("does not try again what was answered", async () => {
    let calls = 0;
    await using serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          getOrder() {
            calls += 1;
            throw new Refusal("not_found", "no such order");
          },
        });
      },
    });

    const error = await ordersOf(serving)
      .get()
      .catch((failure: unknown) => failure);

    expect(error).toMatchObject({
      code: Code.NotFound,
      rawMessage: "no such order",
      audience: "order",
    });
    expect(calls).toBe(1);
  });

  test("waits no longer than its own limit, nor than its caller has left", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left: number | undefined;
    await using serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          async getOrder(_request, context) {
            left = context.timeoutMs();
            await promise;
            return {};
          },
        });
      },
    });
    const short = ordersOf(serving, 100);
    const { client, headers } = ordersOf(serving);
    const late = expect.objectContaining({ code: Code.DeadlineExceeded });

    await expect(short.get()).rejects.toEqual(late);
    expect(left).toBeLessThanOrEqual(100);
    await expect(
      client.getOrder({ orderId: ORDER_ID }, { headers, timeoutMs: 50 }),
    ).rejects.toEqual(late);
    await expect(client.getOrder({ orderId: ORDER_ID }, { headers, timeoutMs: 0 })).rejects.toEqual(
      late,
    );
    resolve();
  });

  test("reads a stream to its end, which a stop of the service brings", async () => {
    await using serving = await openServing({ routes: answering });
    const health = connectTo(Health, {
      url: serving.server.url,
      audience: "order",
      timeoutMs: TIMEOUT_MS,
    });
    const seen: Status[] = [];

    for await (const { status } of health.watch({})) {
      seen.push(status);
      if (status === Status.SERVING) void serving.server[Symbol.asyncDispose]();
    }

    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
  });

  test("hands on what is left of its caller's time", async () => {
    let given: ReturnType<typeof handOn> | undefined;
    await using serving = await openServing({
      routes: (router) => {
        router.service(OrderService, {
          getOrder(_request, context) {
            given = handOn(context);
            return {};
          },
        });
      },
    });

    await ordersOf(serving).get();

    expect(given?.timeoutMs).toBeLessThanOrEqual(TIMEOUT_MS);
    expect(given?.contextValues?.get(onBehalfOfKey)).toBe("c1");
  });
});

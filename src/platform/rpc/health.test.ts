// What health says of a process and its services.
import type { ConnectRouter } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { openServing, postJson } from "./serving.fixture.ts";

const routes = (router: ConnectRouter): void => {
  router.service(OrderService, {});
};

describe("health", () => {
  test("knows its services, and no others", async () => {
    await using serving = await openServing({ routes });
    const check = `${serving.server.url}/grpc.health.v1.Health/Check`;

    const known = await postJson(check, { service: "waybill.order.v1.OrderService" });
    const unknown = await postJson(check, { service: "waybill.payment.v1.PaymentService" });

    expect(await known.json()).toEqual({ status: "SERVING" });
    expect(unknown.status).toBe(404);
  });

  test.each([
    ["say no", () => Promise.resolve(false)],
    ["cannot say", () => Promise.reject(new Error("no database"))],
  ])("is NOT_SERVING when the parts behind it %s", async (_, ready) => {
    await using serving = await openServing({ routes, ready });

    const answer = await postJson(`${serving.server.url}/grpc.health.v1.Health/Check`, {});

    expect(await answer.json()).toEqual({ status: "NOT_SERVING" });
  });
});

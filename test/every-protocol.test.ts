// The promise: every service speaks gRPC, gRPC-Web, Connect and plain HTTP/JSON on one port, and tells what it serves.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { beforeAll, describe, expect, inject, test } from "vitest";
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../gen/grpc/reflection/v1/reflection_pb.js";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/health/v1/health_pb.js";
import { EventAdminService } from "../gen/waybill/event/v1/event_admin_service_pb.js";
import { CatalogService } from "../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderService } from "../gen/waybill/order/v1/order_service_pb.js";
import { NotificationService } from "../gen/waybill/notification/v1/notification_service_pb.js";
import { PaymentService } from "../gen/waybill/payment/v1/payment_service_pb.js";
import { TimelineSourceService } from "../gen/waybill/timeline/v1/timeline_source_service_pb.js";
import { bufCurl } from "./harness/buf.ts";
import { callOverGrpc, streamOverGrpc } from "./harness/grpc.ts";
import { ask } from "./harness/http.ts";
import { newCustomer, type Person } from "./harness/people.ts";
import { anUnpaidOrder, placeOrder } from "./harness/shop.ts";

const place = inject("shared");
const { services } = place.stack;
const SERVED = {
  order: [OrderService, CatalogService, TimelineSourceService, EventAdminService],
  payment: [PaymentService, TimelineSourceService, EventAdminService],
  notification: [NotificationService, TimelineSourceService, EventAdminService],
  gateway: [OrderService, CatalogService, PaymentService, NotificationService],
} as const;
const NAMES = ["order", "payment", "notification", "gateway"] as const;
const REFLECTION = ["v1", "v1alpha"] as const;

let alice: Person;
let orderId: string;
beforeAll(async () => {
  alice = await newCustomer(place);
  orderId = (await placeOrder(place, alice, anUnpaidOrder())).order.id;
});

describe.each(NAMES)("%s", (name) => {
  const { url } = services[name];
  const known = SERVED[name].map((service) => service.typeName);

  test("says over gRPC that it serves", async () => {
    const answer = await callOverGrpc(url, Health.method.check, { service: known[0] ?? "" });

    expect(answer.status).toBe(HealthCheckResponse_ServingStatus.SERVING);
  });

  test.each(REFLECTION)("lists its RPCs by reflection %s", async (version) => {
    const listed = await bufCurl([
      "--list-methods",
      `--reflect-protocol=grpc-${version}`,
      "--http2-prior-knowledge",
      url,
    ]);

    const methods = SERVED[name].flatMap((service) =>
      service.methods.map((method) => `${service.typeName}/${method.name}`),
    );
    expect(listed.split("\n")).toEqual(expect.arrayContaining(methods));
  });

  test.each(REFLECTION)("describes its messages by reflection %s", async (version) => {
    const question = { messageRequest: { case: "fileContainingSymbol", value: known[0] ?? "" } };

    const { messageResponse } = await streamOverGrpc(
      url,
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      { input: ServerReflectionRequestSchema, output: ServerReflectionResponseSchema, question },
    );

    if (messageResponse.case !== "fileDescriptorResponse")
      throw new Error(`answered with ${messageResponse.case}`);
    const files = messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    const [service] = SERVED[name];
    const told = files.find((file) => file.name === service.file.proto.name);
    expect(told && toBinary(FileDescriptorProtoSchema, told)).toEqual(
      toBinary(FileDescriptorProtoSchema, service.file.proto),
    );
  });
});

describe("an RPC", () => {
  test("answers a plain POST of JSON on the same port", async () => {
    const token = alice.token;
    const url = `${services.order.url}/waybill.order.v1.OrderService/GetOrder`;

    const found = await ask(url, { token, body: { orderId } });
    const absent = await ask(url, { token, body: { orderId: crypto.randomUUID() } });

    expect(found.status).toBe(200);
    expect(found.json).toMatchObject({ order: { id: orderId, status: "ORDER_STATUS_PENDING" } });
    expect(absent.status).toBe(404);
    expect(absent.json).toMatchObject({ code: "not_found" });
  });

  const ports = [
    ["order", services.order.url],
    ["gateway", services.gateway.url],
  ] as const;
  const transports = {
    Connect: (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    "Connect over HTTP/2": (baseUrl: string) =>
      createConnectTransport({ baseUrl, httpVersion: "2" }),
    "gRPC-Web": (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    gRPC: (baseUrl: string) => createGrpcTransport({ baseUrl }),
  };
  describe.each(ports)("at the port of the %s", (_name, url) => {
    test.each(Object.keys(transports) as (keyof typeof transports)[])(
      "answers over %s",
      async (protocol) => {
        const client = createClient(OrderService, transports[protocol](url));
        const headers = { authorization: `Bearer ${alice.token}` };

        const { order } = await client.getOrder({ orderId }, { headers });
        const refused = client.getOrder({ orderId });

        expect(order?.id).toBe(orderId);
        await expect(refused).rejects.toThrow(/unauthenticated/);
      },
    );

    test("answers a gRPC client of another make", async () => {
      const method = OrderService.method.getOrder;

      const { order } = await callOverGrpc(url, method, { orderId }, alice.token);

      expect(order?.id).toBe(orderId);
    });

    test.each(["grpc", "grpcweb", "connect"])("answers buf curl over %s", async (protocol) => {
      const answer = await bufCurl([
        `--protocol=${protocol}`,
        "--http2-prior-knowledge",
        `--header=authorization: Bearer ${alice.token}`,
        `--data=${JSON.stringify({ orderId })}`,
        `${url}/waybill.order.v1.OrderService/GetOrder`,
      ]);

      expect(JSON.parse(answer)).toMatchObject({ order: { id: orderId } });
    });
  });

  test("is the same over JSON, with the field names of the contract or in camelCase", async () => {
    const camel = await ask(`${place.stack.gateway}/v1/products?pageSize=1`);
    const snake = await ask(`${place.stack.gateway}/v1/products?page_size=1`);

    expect(camel.json).toMatchObject({ products: [{ sku: "coffee-beans-1kg" }] });
    expect(snake.json).toEqual(camel.json);
  });
});

// What a client can learn of the schema from the running service.
import { createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as Alpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { reflectionRoutes } from "./reflection.ts";

const transport = createRouterTransport(
  reflectionRoutes(
    { services: () => [OrderService.typeName, "a.First"], files: () => [OrderService.file] },
    {},
  ),
);

type Question = NonNullable<
  MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]
>;

async function ask(messageRequest: Question) {
  const { promise: asked, resolve: heard } = Promise.withResolvers<void>();
  async function* question() {
    yield { host: "here", messageRequest };
    // The stream stays open until the answer is there, as reflection clients hold it.
    await asked;
  }
  for await (const answer of createClient(ServerReflection, transport).serverReflectionInfo(
    question(),
  )) {
    heard();
    return answer.messageResponse;
  }
  throw new Error("no answer");
}

async function filesOf(question: Question): Promise<FileDescriptorProto[]> {
  const answer = await ask(question);
  if (answer.case !== "fileDescriptorResponse") throw new Error(`answered with ${answer.case}`);
  return answer.value.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
}

describe("reflection", () => {
  test("lists the services, sorted", async () => {
    const answer = await ask({ case: "listServices", value: "" });

    expect(answer.value).toMatchObject({
      service: [{ name: "a.First" }, { name: "waybill.order.v1.OrderService" }],
    });
  });

  test.each([
    "waybill.order.v1.OrderService",
    "waybill.order.v1.OrderService.GetOrder",
    "waybill.order.v1.CreateOrderRequest",
    "waybill.order.v1.CreateOrderRequest.items",
  ])("finds the file of %s", async (value) => {
    const [first] = await filesOf({ case: "fileContainingSymbol", value });

    expect(first?.name).toBe("waybill/order/v1/order_service.proto");
  });

  test("finds an enum's value beside its enum", async () => {
    const [first] = await filesOf({
      case: "fileContainingSymbol",
      value: "waybill.order.v1.ORDER_STATUS_PAID",
    });

    expect(first?.name).toBe("waybill/order/v1/order.proto");
  });

  test("gives a file with all that it needs to be understood", async () => {
    const file = await filesOf({
      case: "fileByFilename",
      value: "waybill/order/v1/order_service.proto",
    });
    const registry = createFileRegistry(
      create(FileDescriptorSetSchema, { file: file.toReversed() }),
    );

    expect(registry.getService(OrderService.typeName)?.methods).toHaveLength(
      OrderService.methods.length,
    );
    expect(file.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "buf/validate/validate.proto",
        "google/api/http.proto",
        "google/protobuf/descriptor.proto",
      ]),
    );
  });

  test("knows the options that extend a message, by number and all of them", async () => {
    const containingType = "google.protobuf.MethodOptions";
    const [first] = await filesOf({
      case: "fileContainingExtension",
      value: { containingType, extensionNumber: 50_101 },
    });
    const all = await ask({ case: "allExtensionNumbersOfType", value: containingType });

    expect(first?.name).toBe("waybill/access/v1/options.proto");
    expect(all.value).toMatchObject({
      baseTypeName: containingType,
      extensionNumber: [50_101, 72_295_728],
    });
  });

  test.each<Question>([
    { case: "fileByFilename", value: "none.proto" },
    { case: "fileContainingSymbol", value: "a.None" },
    { case: "fileContainingExtension", value: { containingType: "a.None", extensionNumber: 1 } },
    { case: "allExtensionNumbersOfType", value: "a.None" },
  ])("says NOT_FOUND of what it does not know: $case", async (question) => {
    const answer = await ask(question);

    expect(answer).toMatchObject({ case: "errorResponse", value: { errorCode: 5 } });
  });

  test("answers in v1alpha too, several questions on one stream", async () => {
    async function* questions() {
      for (const value of ["", ""])
        yield { messageRequest: { case: "listServices" as const, value } };
      await Promise.resolve();
    }
    const cases: unknown[] = [];
    for await (const { messageResponse } of createClient(Alpha, transport).serverReflectionInfo(
      questions(),
    )) {
      cases.push(messageResponse.case);
    }

    expect(cases).toEqual(["listServicesResponse", "listServicesResponse"]);
  });
});

// Who may call what, as the contract says it.
import { create } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createFileRegistry, type DescMethod } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CatalogService } from "../../../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentService } from "../../../gen/waybill/payment/v1/payment_service_pb.js";
import { assertAccessStated, permit } from "./permit.ts";
import { customerScope, type Principal } from "./principal.ts";

const customer: Principal = { kind: "customer", id: "c1" };
const operator: Principal = { kind: "operator", id: "o1" };
const order: Principal = { kind: "service", id: "order" };

function methodWithoutOption(): DescMethod {
  const file = create(FileDescriptorProtoSchema, {
    name: "silent.proto",
    package: "silent",
    messageType: [{ name: "Nothing" }],
    service: [
      {
        name: "Silent",
        method: [{ name: "Say", inputType: ".silent.Nothing", outputType: ".silent.Nothing" }],
      },
    ],
  });
  const method = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService(
    "silent.Silent",
  )?.methods[0];
  if (!method) throw new Error("the schema is wrong");
  return method;
}

describe("the contract says who may call", () => {
  test("a public RPC lets anyone in", () => {
    expect(() => permit(CatalogService.method.listProducts, { kind: "anonymous" })).not.toThrow();
  });

  test("an RPC for customers asks an anonymous caller for a token, and refuses a service", () => {
    const method = OrderService.method.createOrder;

    expect(() => permit(method, customer)).not.toThrow();
    expect(() => permit(method, { kind: "anonymous" })).toThrow(
      expect.objectContaining({ code: "unauthenticated" }),
    );
    expect(() => permit(method, order)).toThrow(
      expect.objectContaining({ code: "permission_denied" }),
    );
  });

  test("an RPC for a service lets in the one that is named", () => {
    const method = PaymentService.method.initiatePayment;

    expect(() => permit(method, order)).not.toThrow();
    expect(() => permit(method, { kind: "service", id: "notification" })).toThrow(
      /"notification" may not call/,
    );
    expect(() => permit(method, customer)).toThrow(/A customer may not call/);
  });

  test("an RPC that says nothing stops its service from starting", () => {
    expect(() => assertAccessStated([methodWithoutOption()])).toThrow(/silent.Silent\/Say/);
    expect(() => assertAccessStated(OrderService.methods)).not.toThrow();
  });
});

test("a read shows a customer, or who acts for one, that customer's rows; an operator or a service all; a stranger none", () => {
  expect(customerScope(customer)).toBe("c1");
  expect(customerScope({ ...order, onBehalfOf: "c1" })).toBe("c1");
  expect(customerScope(operator)).toBeUndefined();
  expect(customerScope(order)).toBeUndefined();
  expect(() => customerScope({ kind: "anonymous" })).toThrow(
    expect.objectContaining({ code: "unauthenticated" }),
  );
});

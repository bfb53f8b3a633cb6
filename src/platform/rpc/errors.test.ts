// What a caller is told of each kind of failure.
import { ValidationError } from "@bufbuild/protovalidate";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import type { Principal } from "../access/principal.ts";
import { outliving } from "../outlive.ts";
import { Refusal } from "../refusal.ts";
import { CallError } from "./call-error.ts";
import { toConnectError } from "./errors.ts";
import { allRoutes, routerOptions } from "./routes.ts";
import { collectLog } from "./serving.fixture.ts";

const ORDER_ID = "0190b0a0-0000-7000-8000-000000000000";

/** A client of an OrderService whose every answer is what `answer` throws. */
function clientOf(
  answer: () => never,
  principal: Principal = { kind: "customer", id: "c1" },
  passOn = false,
) {
  const { log, lines } = collectLog();
  const parts = {
    routes: (router: Parameters<Parameters<typeof createRouterTransport>[0]>[0]) => {
      router.service(OrderService, { getOrder: answer, createOrder: answer });
    },
    verifier: { verify: () => Promise.resolve(principal) },
    ready: () => Promise.resolve(true),
    calls: outliving(),
    stopping: new AbortController().signal,
    readMaxBytes: 1_000_000,
    passOn,
    log,
  };
  const transport = createRouterTransport(allRoutes(parts), { router: routerOptions(parts) });
  return { client: createClient(OrderService, transport), lines };
}

const failureOf = async (call: Promise<unknown>): Promise<ConnectError> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("the call did not fail");
};

const thrower = (error: unknown) => (): never => {
  throw error as Error;
};

describe("what a caller is told", () => {
  test("of a rule that said no: its code, its message, the field and the reason", async () => {
    const refusal = new Refusal("invalid_argument", "There is no sku x.", {
      field: "items[0].sku",
      reason: "NO_SKU",
    });
    const { client } = clientOf(thrower(refusal));

    const error = await failureOf(client.getOrder({ orderId: ORDER_ID }));

    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: "There is no sku x." });
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]).toMatchObject({
      field: "items[0].sku",
    });
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: "NO_SKU",
      domain: "waybill",
    });
  });

  test("of a broken contract: every field in proto names, with its rule", async () => {
    const { client } = clientOf(thrower(new Error("not reached")));

    const error = await failureOf(
      client.createOrder({ requestId: "r1", items: [{ sku: "a", quantity: 0 }] }),
    );

    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/^items\[0\]\.quantity: must be/);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([
      {
        field: "items[0].quantity",
        description: expect.stringMatching(/greater than or equal to 1/),
        reason: "INT32_GTE_LTE",
      },
    ]);
  });

  test("of a failure that may go away: to try again later", async () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1"), {
      code: "ECONNREFUSED",
    });
    const { client, lines } = clientOf(thrower(refused));

    const error = await failureOf(client.getOrder({ orderId: ORDER_ID }));

    expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: "try again later" });
    expect(lines).toContainEqual(expect.objectContaining({ msg: "unavailable for now" }));
  });

  test("of a bug: that there was one; its cause is for the log", async () => {
    const { client, lines } = clientOf(thrower(new TypeError("x is undefined")));

    const error = await failureOf(client.getOrder({ orderId: ORDER_ID }));

    expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
    expect(lines).toContainEqual(
      expect.objectContaining({ error: expect.objectContaining({ message: "x is undefined" }) }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "call", code: "internal", principalId: "c1" }),
    );
  });

  test("who may not call, not even with a broken request", async () => {
    const { client } = clientOf(thrower(new Error("not reached")), { kind: "anonymous" });

    const error = await failureOf(client.createOrder({}));

    expect(error.code).toBe(Code.Unauthenticated);
  });

  test("carries the request ID that the caller chose", async () => {
    const { client, lines } = clientOf(thrower(new Refusal("not_found", "no")));

    const error = await failureOf(
      client.getOrder({ orderId: ORDER_ID }, { headers: { "x-request-id": "r-7" } }),
    );

    expect(error.metadata.get("x-request-id")).toBe("r-7");
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "call", requestId: "r-7", code: "not_found" }),
    );
  });
});

describe("another service's answer", () => {
  const answered = (code: Code) =>
    CallError.answered("payment", new ConnectError("of theirs", code));

  test("is not ours: its NOT_FOUND is a bug here, its UNAVAILABLE passes", () => {
    const { log } = collectLog();

    expect(toConnectError(answered(Code.NotFound), log).code).toBe(Code.Internal);
    expect(toConnectError(answered(Code.ResourceExhausted), log).code).toBe(Code.Unavailable);
    expect(
      toConnectError(CallError.unanswered("payment", Code.DeadlineExceeded, undefined), log).code,
    ).toBe(Code.Unavailable);
  });

  test("is passed on by the gateway, details and all", async () => {
    const theirs = new ConnectError("no such order", Code.NotFound, undefined, [
      { desc: ErrorInfoSchema, value: { reason: "GONE" } },
    ]);
    const { client } = clientOf(thrower(CallError.answered("order", theirs)), undefined, true);

    const error = await failureOf(client.getOrder({ orderId: ORDER_ID }));

    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "no such order" });
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("GONE");
  });
});

test("the log holds no parameter of a failed query", () => {
  const { log, lines } = collectLog();
  const query = { query: "select $1", params: ["ada@example.org"] };
  const failed = Object.assign(
    new Error("Failed query: select $1\nparams: ada@example.org"),
    query,
  );

  toConnectError(new Error("while saving", { cause: failed }), log);

  expect(JSON.stringify(lines)).toContain("failed query: select $1");
  expect(JSON.stringify(lines)).not.toContain("ada@example.org");
});

test("a handler that validates by itself is understood too", () => {
  expect(toConnectError(new ValidationError([]), collectLog().log).code).toBe(Code.InvalidArgument);
});

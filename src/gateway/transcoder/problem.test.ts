// What a plain HTTP caller reads when an RPC fails.
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.js";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { ask, recording } from "./library.fixture.ts";

const waybill = [OrderService];
const order = "/v1/orders/0198c0de-0000-7000-8000-000000000000";

const statuses: readonly [code: Code, name: string, status: number][] = [
  [Code.Canceled, "canceled", 499],
  [Code.Unknown, "unknown", 500],
  [Code.InvalidArgument, "invalid_argument", 400],
  [Code.DeadlineExceeded, "deadline_exceeded", 504],
  [Code.NotFound, "not_found", 404],
  [Code.AlreadyExists, "already_exists", 409],
  [Code.PermissionDenied, "permission_denied", 403],
  [Code.ResourceExhausted, "resource_exhausted", 429],
  [Code.FailedPrecondition, "failed_precondition", 400],
  [Code.Aborted, "aborted", 409],
  [Code.OutOfRange, "out_of_range", 400],
  [Code.Unimplemented, "unimplemented", 501],
  [Code.Internal, "internal", 500],
  [Code.Unavailable, "unavailable", 503],
  [Code.DataLoss, "data_loss", 500],
  [Code.Unauthenticated, "unauthenticated", 401],
];

describe("an error of the RPC is told as a problem", () => {
  const failing = (error: unknown, heard: unknown[] = []) =>
    recording(waybill, {
      invoke: () => Promise.reject(error as Error),
      onWithheld: (withheld) => heard.push(withheld),
    }).transcoder;

  it.each(statuses)("%i is %s with status %i", async (code, name, status) => {
    const answer = await ask(failing(new ConnectError("why", code)), { url: order });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ code: name, status });
  });

  it("with fields in JSON names, the reason, and when to come back", async () => {
    const error = new ConnectError("no", Code.InvalidArgument, undefined, [
      {
        desc: BadRequestSchema,
        value: {
          fieldViolations: [
            { field: "items[0].sku", description: "is not sold" },
            { field: "payment_method", description: "is unknown" },
            { field: "contact.phone_number", description: "is no number" },
            { field: "some_thing.else_where", description: "is ours" },
          ],
        },
      },
      { desc: ErrorInfoSchema, value: { reason: "IDEMPOTENCY_KEY_REUSED" } },
      { desc: RetryInfoSchema, value: { retryDelay: { seconds: 2n, nanos: 1 } } },
    ]);
    const answer = await ask(failing(error), { url: "/v1/orders", json: "{}" });
    expect(answer.headers["retry-after"]).toBe("3");
    expect(answer.json).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: "no",
      code: "invalid_argument",
      violations: [
        { field: "items[0].sku", message: "is not sold" },
        { field: "paymentMethod", message: "is unknown" },
        { field: "contact.phoneNumber", message: "is no number" },
        { field: "some_thing.else_where", message: "is ours" },
      ],
      reason: "IDEMPOTENCY_KEY_REUSED",
      request_id: "request-1",
    });
  });

  it("without words that were not meant for the caller", async () => {
    const heard: unknown[] = [];
    const bug = new TypeError("secret");
    const refused = new ConnectError(
      "connect ECONNREFUSED 127.0.0.1:5432",
      Code.Unavailable,
      undefined,
      undefined,
      bug,
    );
    for (const error of [bug, refused, new ConnectError("secret", Code.Internal)]) {
      const answer = await ask(failing(error, heard), { url: order });
      expect(answer.text).not.toMatch(/secret|ECONN|127/);
    }
    expect(heard).toHaveLength(3);
  });
});

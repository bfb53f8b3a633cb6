// JSON over Connect and gRPC is read strictly: the field that does not fit is named, and nothing of the request is repeated.
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OrderService } from "../../../gen/waybill/order/v1/order_service_pb.js";
import { openForeign, openServing, pathOf, postJson, type Serving } from "./serving.fixture.ts";

const { createOrder, getOrder } = OrderService.method;
const SECRET = "do-not-repeat";
const item = { sku: "a", quantity: 1 };

let serving: Serving;
beforeAll(async () => {
  serving = await openServing({
    routes: (router) => {
      router.service(OrderService, { createOrder: () => ({}) });
    },
  });
});
afterAll(async () => {
  await serving[Symbol.asyncDispose]();
});

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  method: DescMethodUnary = createOrder,
  type = "application/json",
) =>
  fetch(`${serving.server.url}${pathOf(method)}`, {
    method: "POST",
    body,
    headers: { "content-type": type, authorization: serving.customer },
  });

test("what fits is read, in proto names too", async () => {
  const body = { request_id: "r1", items: [item], contact: null };

  const answer = await postJson(`${serving.server.url}${pathOf(createOrder)}`, body, {
    authorization: serving.customer,
  });

  expect(answer.status).toBe(200);
});

test.each([
  ["the wrong type", { items: [item, { sku: "a", quantity: SECRET }] }, "items[1].quantity"],
  ["no object", { items: [SECRET] }, "items[0]"],
  ["no list", { items: SECRET }, "items"],
  ["no time", { expectedTotal: { minorUnits: SECRET } }, "expected_total.minor_units"],
  ["a field that there is not", { items: [{ ...item, price: SECRET }] }, "items[0].price"],
  ["a name that is no field's", { contact: { [`x ${SECRET}`]: 1 } }, "contact.…"],
])("%s is refused with the field", async (_, body, field) => {
  const answer = await post(JSON.stringify(body));
  const text = await answer.text();

  expect(answer.status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining(`${field}: `),
    details: [{ type: "google.rpc.BadRequest", debug: { fieldViolations: [{ field }] } }],
  });
  expect(text).not.toContain(SECRET);
});

test.each([
  ["one given twice", `{"requestId":"${SECRET}","requestId":"b"}`, /requestId: is given twice/],
  ["what is no JSON", `{"requestId": ${SECRET}}`, /not valid JSON/],
  ["what is not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), /not valid UTF-8/],
  ["a list", `["${SECRET}"]`, /must be an object/],
])("%s is refused", async (_, body, words) => {
  const answer = await post(body);
  const text = await answer.text();

  expect(answer.status).toBe(400);
  expect(text).toMatch(words);
  expect(text).not.toContain(SECRET);
});

test("over gRPC in JSON as well", async () => {
  const message = Buffer.from(JSON.stringify({ requestId: { [SECRET]: 1 } }));
  const head = Buffer.from([0, 0, 0, 0, message.length]);

  const answer = await post(
    Buffer.concat([head, message]),
    createOrder,
    "application/grpc-web+json",
  );

  const text = await answer.text();
  expect(text).toMatch(/grpc-status: 3/);
  expect(text).not.toContain(SECRET);
});

describe("bytes that are no message of its kind are the caller's mistake", () => {
  const broken = { "a length beyond the end": [0x0a, 0x7f, 0x41], "no UTF-8": [0x0a, 0x01, 0xff] };

  test.each(Object.entries(broken))("over gRPC: %s", async (_, bytes) => {
    const client = openForeign(serving);
    const { promise, reject, resolve } = Promise.withResolvers<unknown>();
    const metadata = new Metadata();
    metadata.set("authorization", serving.customer);
    client.makeUnaryRequest(
      pathOf(createOrder),
      (request: readonly number[]) => Buffer.from(request),
      (answer: Buffer) => answer,
      bytes,
      metadata,
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );

    await expect(promise).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    client.close();
  });

  test.each(Object.entries(broken))("over Connect: %s", async (_, bytes) => {
    const answer = await post(new Uint8Array(bytes), createOrder, "application/proto");

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: "invalid_argument" });
  });
});

test("an RPC that the service leaves out is UNIMPLEMENTED", async () => {
  const answer = await post(
    JSON.stringify({ orderId: "0190b0a0-0000-7000-8000-000000000000" }),
    getOrder,
  );

  expect(await answer.json()).toMatchObject({ code: "unimplemented" });
});

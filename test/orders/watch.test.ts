// The promise: who watches an order sees it at once and after each change, until it is final; and leaves nothing behind.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  createContextValues,
  createHandlerContext,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import {
  OrderService,
  WatchOrderRequestSchema,
  type WatchOrderResponse,
} from "../../gen/waybill/order/v1/order_service_pb.js";
import { type OrderWatch, watchOrder } from "../../src/order/watch.ts";
import { principalKey } from "../../src/platform/rpc/principal.ts";
import { takeControl } from "../harness/control.ts";
import { eventually } from "../harness/eventually.ts";
import { openOwnDatabase } from "../harness/own-database.ts";
import { cancelOrder, intentIn, paymentBecomes, payOrder } from "../harness/orders.ts";
import { newCustomer, type Person } from "../harness/people.ts";
import { query } from "../harness/rows.ts";
import { inBrowser } from "../harness/sandbox.ts";
import { anOrder, anUnpaidOrder, becomes, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const launcher = await takeControl(inject("control"));
afterAll(() => launcher.start("order"));
const { order: orderService, gateway } = place.stack.services;
/** A service that stops waits longer than this for unary calls, in milliseconds, but not for streams. */
const STOPS_WITHIN_MS = 5000;

const grpc = (baseUrl: string): Transport => createGrpcTransport({ baseUrl });
const ways: Readonly<Record<string, Transport>> = {
  "gRPC at the service": grpc(orderService.url),
  "gRPC through the gateway": grpc(gateway.url),
  "gRPC-Web through the gateway": createGrpcWebTransport({
    baseUrl: gateway.url,
    httpVersion: "1.1",
  }),
  "Connect through the gateway": createConnectTransport({
    baseUrl: gateway.url,
    httpVersion: "1.1",
  }),
};

interface Watch {
  readonly seen: WatchOrderResponse[];
  /** How it ended: undefined for well. */
  readonly end: Promise<ConnectError | undefined>;
  readonly leave: () => void;
}

function watch(transport: Transport, who: Pick<Person, "token">, orderId: string): Watch {
  const leaving = new AbortController();
  const seen: WatchOrderResponse[] = [];
  const headers = { authorization: `Bearer ${who.token}` };
  const read = async () => {
    const { signal } = leaving;
    const messages = createClient(OrderService, transport).watchOrder(
      { orderId },
      { headers, signal },
    );
    for await (const message of messages) seen.push(message);
  };
  const end = read().then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
  return { seen, end, leave: () => leaving.abort() };
}

/** What was seen of the order's status; a run of the same one counts once. */
const statusesIn = (seen: readonly WatchOrderResponse[]): string[] =>
  seen
    .flatMap(({ order }) => (order === undefined ? [] : [OrderStatus[order.status]]))
    .filter((status, n, all) => status !== all[n - 1]);

const hasSeen = (seen: readonly WatchOrderResponse[], status: string) =>
  eventually(() => expect(statusesIn(seen).at(-1)).toBe(status));

async function anUnpaid() {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  await paymentBecomes(place, alice, order.id, "REQUIRES_PAYMENT_METHOD");
  return { alice, orderId: order.id, payment };
}

describe.concurrent.each(Object.entries(ways))("over %s a watcher", (_way, transport) => {
  test("sees the order at once, then each change, and the stream ends when it is final", async () => {
    const { alice, orderId } = await anUnpaid();
    const { seen, end } = watch(transport, alice, orderId);
    await eventually(() => expect(seen).not.toEqual([]));
    expect(seen[0]?.order).toMatchObject({ id: orderId, status: OrderStatus.PENDING });

    await payOrder(place, alice, orderId, { paymentMethod: "pm_card_chargeDeclined" });
    await hasSeen(seen, "FAILED");
    expect(seen.at(-1)?.payment).toMatchObject({ declineCode: "generic_decline" });
    await payOrder(place, alice, orderId, { paymentMethod: "pm_card_authenticationRequired" });
    await hasSeen(seen, "PENDING");
    await cancelOrder(place, alice, orderId);

    expect(await end).toBeUndefined();
    expect(statusesIn(seen)).toEqual(["PENDING", "FAILED", "PENDING", "CANCELLED"]);
    const versions = seen.flatMap(({ order }) => (order === undefined ? [] : [order.version]));
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => Number(a - b)));
    expect(seen.every(({ payment }) => !payment?.clientSecret)).toBe(true);
  });

  test("of an order that is final sees it once", async () => {
    const alice = await newCustomer(place);
    const { order } = await placeOrder(place, alice, anOrder());
    await becomes(place, alice, order.id, "PAID");

    const { seen, end } = watch(transport, alice, order.id);

    expect(await end).toBeUndefined();
    expect(statusesIn(seen)).toEqual(["PAID"]);
    expect(seen).toHaveLength(1);
  });

  test("of somebody else's order, or of none, is told NOT_FOUND", async () => {
    const { orderId } = await anUnpaid();
    const bob = await newCustomer(place);

    for (const id of [orderId, randomUUID()]) {
      const { seen, end } = watch(transport, bob, id);
      expect((await end)?.code).toBe(Code.NotFound);
      expect(seen).toEqual([]);
    }
    expect((await watch(transport, { token: "none" }, orderId).end)?.code).toBe(
      Code.Unauthenticated,
    );
  });
});

/** When the Order service last looked for changes on behalf of a watcher, in milliseconds ago; 0: it does so now. */
async function sinceLastLook(): Promise<number> {
  const [row] = await query<{ ms: number }>(
    place,
    "order",
    `select coalesce(min(extract(epoch from clock_timestamp() - query_start) * 1000), 1e9)::int as ms
     from pg_stat_activity where application_name = 'waybill-order' and query like 'select "id", "version" from "orders"%'`,
  );
  return row?.ms ?? 0;
}

test("watchers that go away leave nothing behind: nobody looks any more", async () => {
  const { alice, orderId } = await anUnpaid();
  const all = Object.values(ways).flatMap((transport) =>
    Array.from({ length: 5 }, () => watch(transport, alice, orderId)),
  );
  await eventually(() => expect(all.every(({ seen }) => seen.length > 0)).toBe(true));
  await eventually(async () => expect(await sinceLastLook()).toBeLessThan(400));

  for (const { leave } of all) leave();

  for (const { end } of all) expect((await end)?.code).toBe(Code.Canceled);
  await eventually(async () => {
    // A look is due every 200 ms while anybody is there.
    for (let look = 0; look < 10; look += 1) {
      expect(await sinceLastLook()).toBeGreaterThan(500);
      await pause(60);
    }
  });
});

test("a service that stops ends its streams, and a watcher who comes again sees the order", async () => {
  const { alice, orderId, payment } = await anUnpaid();
  const all = Object.values(ways).map((transport) => watch(transport, alice, orderId));
  await eventually(() => expect(all.every(({ seen }) => seen.length > 0)).toBe(true));
  const began = performance.now();

  await launcher.stop("order");

  expect(performance.now() - began).toBeLessThan(STOPS_WITHIN_MS);
  for (const { end } of all) expect((await end)?.code).toBe(Code.Unavailable);
  await launcher.start("order");
  const again = watch(grpc(orderService.url), alice, orderId);
  await eventually(() => expect(again.seen).not.toEqual([]));
  await inBrowser(place, `pay/${intentIn(payment)}`, { payment_method: "pm_card_visa" });
  expect(await again.end).toBeUndefined();
  expect(statusesIn(again.seen)).toEqual(["PENDING", "PAID"]);
});

test("a stream on which nothing happens says every 15 seconds that it lives", async () => {
  await using own = await openOwnDatabase(inject("servers"));
  const id = randomUUID();
  await own.db.execute(
    `insert into orders (id, number, customer_id, status, currency_code, total_minor_units, email, phone_number, locale,
                         payment_method, payment_status, attempt_number, version, create_time, update_time)
     values ('${id}', 'QUIET', 'alice', 'PENDING', 'EUR', 1, '', '', '', '', 'UNKNOWN', 1, 1, now(), now())`,
  );
  const waits: number[] = [];
  const nothingHappens: OrderWatch = {
    changed: (_id, _version, { withinMs }) => {
      waits.push(withinMs);
      return Promise.resolve(false);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const context = createHandlerContext({
    service: OrderService,
    method: OrderService.method.watchOrder,
    protocolName: "test",
    requestMethod: "POST",
    url: "http://127.0.0.1",
    contextValues: createContextValues().set(principalKey, { kind: "operator", id: "olga" }),
  });

  const request = create(WatchOrderRequestSchema, { orderId: id });
  const messages = watchOrder({ db: own.db, watch: nothingHappens }, request, context);

  expect((await messages.next()).value).toMatchObject({ order: { id } });
  expect((await messages.next()).value).toEqual({});
  expect((await messages.next()).value).toEqual({});
  expect(waits).toEqual([15_000, 15_000]);
  await messages.return();
});

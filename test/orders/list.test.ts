// The promise: a list shows each of the caller's orders once, the newest first, whatever is ordered meanwhile.
import { beforeAll, describe, expect, inject, test } from "vitest";
import type { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { ListOrdersResponseSchema } from "../../gen/waybill/order/v1/order_service_pb.js";
import { type Answer, ask, messageOf } from "../harness/http.ts";
import { cancelOrder } from "../harness/orders.ts";
import { newCustomer, type Person } from "../harness/people.ts";
import { query } from "../harness/rows.ts";
import { anOrder, anUnpaidOrder, becomes, placeOrder } from "../harness/shop.ts";

const place = inject("shared");
const operator = { token: place.stack.tokens.operator };
type Caller = Pick<Person, "token">;
type Query = Readonly<Record<string, string | readonly string[]>>;

function list({ token }: Caller, wanted: Query = {}): Promise<Answer> {
  const search = new URLSearchParams();
  for (const [name, values] of Object.entries(wanted))
    for (const value of [values].flat()) search.append(name, value);
  return ask(`${place.stack.gateway}/v1/orders?${search.toString()}`, { token });
}

async function page(who: Caller, wanted: Query = {}) {
  const { orders, nextPageToken } = messageOf(ListOrdersResponseSchema, await list(who, wanted));
  return { ids: orders.map(({ id }) => id), orders, nextPageToken };
}

const REFUSED = {
  status: 400,
  json: { code: "invalid_argument", violations: [{ field: "pageToken" }] },
};

/** Paid, refused, cancelled, waiting, waiting: in the order in which they were taken. */
let alice: Person;
let taken: readonly { readonly id: string; readonly time: string }[];
beforeAll(async () => {
  alice = await newCustomer(place);
  const bodies = [
    anOrder(),
    anOrder({ paymentMethod: "pm_card_chargeDeclined" }),
    anUnpaidOrder(),
    anUnpaidOrder(),
    anUnpaidOrder(),
  ];
  const ids: string[] = [];
  for (const body of bodies) ids.push((await placeOrder(place, alice, body)).order.id);
  const [paid = "", refused = "", cancelled = ""] = ids;
  await cancelOrder(place, alice, cancelled);
  await becomes(place, alice, paid, "PAID");
  await becomes(place, alice, refused, "FAILED");
  const rows = await query<{ id: string; time: Date }>(
    place,
    "order",
    "select id, create_time as time from orders where customer_id = $1 order by id",
    [alice.id],
  );
  taken = rows.map(({ id, time }) => ({ id, time: time.toISOString() }));
});

const at = (...places: readonly number[]) => places.map((n) => taken[n]?.id);
const timeOf = (n: number): string => taken[n]?.time ?? "";

describe("a list of orders", () => {
  test("shows a customer her own, the newest first, and an operator everybody's", async () => {
    const bob = await newCustomer(place);
    const { order } = await placeOrder(place, bob, anUnpaidOrder());

    expect((await page(alice)).ids).toEqual(at(4, 3, 2, 1, 0));
    expect((await page(bob)).ids).toEqual([order.id]);
    const all = (await page(operator, { pageSize: "100" })).ids;
    expect(all).toEqual(expect.arrayContaining([order.id, ...at(0, 4)]));
    const [first] = (await page(alice, { pageSize: "1" })).orders;
    expect(first?.items).toMatchObject([{ sku: "espresso-cups", quantity: 1 }]);
  });

  test.each<[readonly (keyof typeof OrderStatus)[], readonly number[]]>([
    [["PAID"], [0]],
    [
      ["FAILED", "PAID"],
      [1, 0],
    ],
    [["PENDING"], [4, 3]],
    [["CANCELLED"], [2]],
    [["EXPIRED"], []],
  ])("with the statuses %j shows only those", async (statuses, wanted) => {
    const names = statuses.map((status) => `ORDER_STATUS_${status}`);

    expect((await page(alice, { statuses: names })).ids).toEqual(at(...wanted));
  });

  test("of a time shows what was taken from its begin on, and before its end", async () => {
    const between = { createTimeFrom: timeOf(1), createTimeBefore: timeOf(3) };

    expect((await page(alice, between)).ids).toEqual(at(2, 1));
    expect((await page(alice, { createTimeFrom: timeOf(4) })).ids).toEqual(at(4));
    expect((await page(alice, { createTimeBefore: timeOf(0) })).ids).toEqual([]);
    const paid = { ...between, statuses: ["ORDER_STATUS_FAILED"] };
    expect((await page(alice, paid)).ids).toEqual(at(1));
  });
});

describe("the pages of a list", () => {
  test("show each order once, though others are taken meanwhile", async () => {
    const carol = await newCustomer(place);
    const ids: string[] = [];
    const take = async () =>
      void ids.unshift((await placeOrder(place, carol, anUnpaidOrder())).order.id);
    for (let n = 0; n < 5; n += 1) await take();
    const wanted = [...ids];

    const seen: string[] = [];
    let pageToken = "";
    do {
      const next = await page(carol, { pageSize: "2", ...(pageToken && { pageToken }) });
      seen.push(...next.ids);
      pageToken = next.nextPageToken;
      await take();
    } while (pageToken !== "");

    expect(seen).toEqual(wanted);
  });

  test("belong to their filter and to their reader", async () => {
    const filter = { pageSize: "1", statuses: "ORDER_STATUS_PENDING" };
    const { nextPageToken: pageToken } = await page(alice, filter);
    expect((await page(alice, { ...filter, pageToken, pageSize: "5" })).ids).toEqual(at(3));

    const answers = await Promise.all([
      list(alice, { pageToken }),
      list(alice, { pageToken, statuses: "ORDER_STATUS_PAID" }),
      list(alice, { ...filter, pageToken, createTimeFrom: timeOf(0) }),
      list(await newCustomer(place), { ...filter, pageToken }),
      list(operator, { ...filter, pageToken }),
    ]);

    for (const answer of answers) expect(answer).toMatchObject(REFUSED);
  });

  test("are not got by a token that somebody made", async () => {
    const { nextPageToken } = await page(alice, { pageSize: "1" });
    const half = nextPageToken.slice(0, nextPageToken.length / 2);
    const words = (text: string) => Buffer.from(text).toString("base64url");
    const made = [half, "nonsense", words("[]"), words('["1","orders:{}"]'), "%00", words("null")];

    for (const pageToken of made) expect(await list(alice, { pageToken })).toMatchObject(REFUSED);
    expect((await list(alice, { pageToken: "a".repeat(1025) })).status).toBe(400);
    // Whoever knows its form and somebody's order gets a place in a list, and that list is his own.
    const bob = await newCustomer(place);
    const forged = words(
      JSON.stringify([taken[4]?.id, `orders:{"scope":"${bob.id}","statuses":[]}`]),
    );
    expect((await page(bob, { pageToken: forged })).ids).toEqual([]);
  });

  test("hold 50 orders, or as many as are wanted up to 100", async () => {
    const many = await newCustomer(place);
    await query(
      place,
      "order",
      `insert into orders (id, number, customer_id, status, currency_code, total_minor_units, email, phone_number, locale,
                           payment_method, payment_status, attempt_number, version, create_time, update_time)
       select gen_random_uuid(), 'MANY-' || n || $1, $1, 'EXPIRED', 'EUR', 1, '', '', '', '', 'CANCELLED', 1, 1, now(), now()
       from generate_series(1, 101) as n`,
      [many.id],
    );

    const lengths = await Promise.all(
      ["0", "1", "100", "101", "2147483647"].map(
        async (pageSize) => (await page(many, { pageSize })).ids.length,
      ),
    );

    expect(lengths).toEqual([50, 1, 100, 100, 100]);
    const { ids, nextPageToken: pageToken } = await page(many, { pageSize: "100" });
    const rest = await page(many, { pageSize: "100", pageToken });
    expect(new Set([...ids, ...rest.ids]).size).toBe(101);
    expect(rest.nextPageToken).toBe("");
    expect(await list(many, { pageSize: "-1" })).toMatchObject({
      status: 400,
      json: { code: "invalid_argument", violations: [{ field: "pageSize" }] },
    });
  });
});

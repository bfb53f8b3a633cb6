// What Payment finds out when nobody tells it: PaymentIntents that wait are looked at, webhooks that were lost are fetched.
import { expect, inject, test } from "vitest";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
import { ask } from "../harness/http.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  paymentOf,
  checkPayment,
  paymentBecomes,
  atSandbox,
  faultOf,
  inboxOf,
  publishedOf,
} from "../harness/payments.ts";

const servers = inject("servers");
const threeDs = { paymentMethod: "pm_card_threeDSecure2Required" };

const initiate = async (room: PaymentRoom, request: ReturnType<typeof anAttempt>) =>
  paymentOf(await room.asOrder.initiatePayment(request));

/** Stripe gives up to deliver them. */
const dropWebhooks = (room: PaymentRoom, orderId: string) =>
  faultOf(room, orderId, { fault: "webhook_drop", count: 100 });

test("a PaymentIntent that waits is looked at when its check is due, also by the next process, and not for ever", async () => {
  await using room = await openPaymentRoom(servers, { STRIPE_FIRST_CHECK_MS: "300" });
  const [paid, waiting] = [anAttempt(threeDs), anAttempt(threeDs)];
  for (const order of [paid, waiting]) await dropWebhooks(room, order.orderId);
  const { paymentIntentId } = await initiate(room, paid);
  const { id } = await initiate(room, waiting);
  await room.stop();

  await atSandbox(room, `3ds/${paymentIntentId}/succeed`, {});
  await room.start();

  await paymentBecomes(room, paid.orderId, "SUCCEEDED");
  expect((await publishedOf(room, paid.orderId)).length).toBe(2);
  const text = "select check_tries, check_due_time from payments where id = $1";
  await eventually(async () => {
    const [row] = await room.query<{ check_tries: number }>(text, [id]);
    expect(row?.check_tries).toBeGreaterThan(1);
  });
  expect((await publishedOf(room, waiting.orderId)).length).toBe(1);
  const [done] = await room.query<{ check_due_time: Date | null }>(
    "select check_due_time from payments where order_id = $1",
    [paid.orderId],
  );
  expect(done).toEqual({ check_due_time: null });
});

test("webhooks that Stripe could not deliver are fetched at the start, and every few minutes, and each is taken once", async () => {
  const every = { STRIPE_MISSED_EVENTS_MS: "300" };
  await using room = await openPaymentRoom(servers);
  const [first, second] = [anAttempt(), anAttempt()];
  for (const order of [first, second]) await dropWebhooks(room, order.orderId);
  const disputed = (orderId: string) =>
    eventually(async () => expect((await checkPayment(room, orderId)).disputed).toBe(true));
  const one = await initiate(room, first);
  const two = await initiate(room, second);
  await room.stop();
  await atSandbox(room, "disputes", { payment_intent: one.paymentIntentId });

  await room.start(every);
  await disputed(first.orderId);
  await atSandbox(room, "disputes", { payment_intent: two.paymentIntentId });

  await disputed(second.orderId);
  for (const { paymentIntentId } of [one, two]) {
    const inbox = await inboxOf(room, paymentIntentId);
    expect(new Set(inbox.map(({ id }) => id)).size).toBe(inbox.length);
  }
  expect((await publishedOf(room, first.orderId)).map((event) => event.case)).toEqual([
    "paymentStatusUpdated",
    "paymentDisputed",
  ]);
});

test("while a webhook secret is replaced, the previous one is good, and one that was never ours is not", async () => {
  await using room = await openPaymentRoom(servers);
  await room.stop();
  await room.start({ STRIPE_WEBHOOK_SECRETS: `whsec_next,${room.keys.webhookSecret}` });
  const order = anAttempt({ paymentMethod: "" });
  const { paymentIntentId } = await initiate(room, order);

  await atSandbox(room, `pay/${paymentIntentId}`, { payment_method: "pm_card_visa" });

  await paymentBecomes(room, order.orderId, "SUCCEEDED");
  const forged = { body: "{}", headers: { "stripe-signature": "t=1,v1=00" } };
  expect((await ask(`${room.url}/webhooks/stripe`, forged)).status).toBe(400);
});

test("too many refused attempts of an order, or of a customer, are RESOURCE_EXHAUSTED, and it is said until when", async () => {
  await using room = await openPaymentRoom(servers, {
    REFUSED_ATTEMPTS_PER_ORDER_PER_HOUR: "2",
    REFUSED_ATTEMPTS_PER_CUSTOMER_PER_HOUR: "3",
  });
  const { FAILED, SUCCEEDED } = PaymentStatus;
  const order = anAttempt({ paymentMethod: "pm_card_chargeDeclined" });
  const pay = (fields: object) => initiate(room, { ...order, ...fields });
  expect((await pay({})).status).toBe(FAILED);
  expect((await pay({ attemptNumber: 2 })).status).toBe(FAILED);

  const third = { body: toJson({ ...order, attemptNumber: 3 }), token: room.keys.tokens.operator };
  const answer = await ask(`${room.url}/waybill.payment.v1.PaymentService/InitiatePayment`, third);

  expect(answer.json).toMatchObject({
    code: "resource_exhausted",
    details: expect.arrayContaining([expect.objectContaining({ type: "google.rpc.RetryInfo" })]),
  });
  const another = { ...anAttempt(), customerId: order.customerId };
  const refused = { ...another, paymentMethod: "pm_card_chargeDeclined" };
  expect((await initiate(room, refused)).status).toBe(FAILED);
  const onceMore = { ...anAttempt(), customerId: order.customerId };
  await expect(initiate(room, onceMore)).rejects.toThrow(/refused/);
  expect(
    await room.query("select 1 from payments where order_id = $1", [onceMore.orderId]),
  ).toEqual([]);
  expect((await initiate(room, anAttempt())).status).toBe(SUCCEEDED);
  await room.query("update payment_attempts set refuse_time = now() - interval '61 minutes'");
  expect((await initiate(room, onceMore)).status).toBe(SUCCEEDED);
});

const toJson = (request: object): string =>
  JSON.stringify(request, (_name, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );

test("the list of payments has filters, and pages that go with them", async () => {
  await using room = await openPaymentRoom(servers);
  const { asOperator } = room;
  const mine = anAttempt();
  const others = [anAttempt(), anAttempt({ paymentMethod: "" }), anAttempt({ paymentMethod: "" })];
  for (const order of [mine, ...others]) await initiate(room, order);
  const idsOf = async (request: Parameters<typeof asOperator.listPayments>[0]) =>
    (await asOperator.listPayments(request)).payments.map(({ orderId }) => orderId);
  const newestFirst = [mine, ...others].map(({ orderId }) => orderId).toReversed();

  expect(await idsOf({})).toEqual(newestFirst);
  expect(await idsOf({ customerId: mine.customerId })).toEqual([mine.orderId]);
  const { SUCCEEDED, REQUIRES_PAYMENT_METHOD, UNKNOWN } = PaymentStatus;
  expect(await idsOf({ statuses: [SUCCEEDED] })).toEqual(newestFirst.slice(2));
  expect(await idsOf({ statuses: [UNKNOWN] })).toEqual([]);
  expect(await idsOf({ stuckForSeconds: 3600 })).toEqual([]);
  await room.query("update payments set update_time = now() - interval '2 hours'");
  expect(await idsOf({ stuckForSeconds: 3600 })).toEqual(newestFirst.slice(0, 2));
  expect(await idsOf({ createTimeFrom: { seconds: 4_000_000_000n } })).toEqual([]);
  expect(await idsOf({ createTimeBefore: { seconds: 4_000_000_000n } })).toEqual(newestFirst);

  const filter = { statuses: [REQUIRES_PAYMENT_METHOD], pageSize: 1 };
  const page = await asOperator.listPayments(filter);
  const { nextPageToken: pageToken } = page;
  await initiate(room, anAttempt({ paymentMethod: "" }));
  expect(await idsOf({ ...filter, pageToken })).toEqual([newestFirst[1]]);
  await expect(asOperator.listPayments({ pageToken })).rejects.toThrow(/page_token/);
  await expect(asOperator.listPayments({ pageToken: "beans" })).rejects.toThrow(/page_token/);
});

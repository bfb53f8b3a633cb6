// The promise: an order that was refused may be paid again, on the same PaymentIntent, and never twice.
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, inject, test } from "vitest";
import { OrderStatus, type OrderPayment } from "../../gen/waybill/order/v1/order_pb.js";
import { PayOrderResponseSchema } from "../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { eventually } from "../harness/eventually.ts";
import { type Answer, messageOf } from "../harness/http.ts";
import { cancelOrder, intentIn, paymentBecomes, payOrder, timeIsOver } from "../harness/orders.ts";
import { newCustomer, type Person } from "../harness/people.ts";
import {
  faultOf,
  faultsUntilDone,
  inBrowser,
  mailsTo,
  stripePaymentsOf,
  withoutWebhooks,
} from "../harness/sandbox.ts";
import {
  anOrder,
  anUnpaidOrder,
  becomes,
  complete,
  getOrder,
  placeOrder,
  postOrder,
} from "../harness/shop.ts";

const place = inject("shared");
const { PAID, FAILED } = OrderStatus;
const DECLINED = "pm_card_chargeDeclined";
const ASKS_CUSTOMER = "pm_card_authenticationRequired";
/** What the settings say unless told otherwise. */
const REFUSED_PER_ORDER = 10;

const faults = faultsUntilDone(place);
afterAll(() => faults[Symbol.asyncDispose]());

const paidBy = (answer: Answer) => complete(messageOf(PayOrderResponseSchema, answer));

async function aRefused(): Promise<{ alice: Person; orderId: string; version: bigint }> {
  const alice = await newCustomer(place);
  const orderId = (await placeOrder(place, alice, anOrder({ paymentMethod: DECLINED }))).order.id;
  const { order } = await becomes(place, alice, orderId, "FAILED");
  return { alice, orderId, version: order.version };
}

async function anUnpaid(): Promise<{ alice: Person; orderId: string; payment: OrderPayment }> {
  const alice = await newCustomer(place);
  const { order, payment } = await placeOrder(place, alice, anUnpaidOrder());
  await paymentBecomes(place, alice, order.id, "REQUIRES_PAYMENT_METHOD");
  return { alice, orderId: order.id, payment };
}

describe.concurrent("after a refusal", () => {
  test("another method pays the order, on the same PaymentIntent", async () => {
    const { alice, orderId } = await aRefused();

    const { payment } = paidBy(await payOrder(place, alice, orderId));

    expect(payment).toMatchObject({ status: PaymentStatus.SUCCEEDED, attemptNumber: 2 });
    const paid = await becomes(place, alice, orderId, "PAID");
    expect(paid.payment).toMatchObject({ attemptNumber: 2, declineCode: "" });
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1 }]);
    await eventually(async () =>
      expect(
        (await mailsTo(place, alice.email)).map(({ subject }) => subject.split(" for ")[0]),
      ).toEqual(expect.arrayContaining(["Payment refused", "Payment received"])),
    );
  });

  test("another refusal is told again, and the third method pays", async () => {
    const { alice, orderId } = await aRefused();
    const insufficient = "pm_card_chargeDeclinedInsufficientFunds";
    await payOrder(place, alice, orderId, { paymentMethod: insufficient });
    const refused = await eventually(async () => {
      const found = await getOrder(place, alice, orderId);
      expect(found.order.status).toBe(FAILED);
      expect(found.payment.attemptNumber).toBe(2);
      return found;
    });
    expect(refused.payment.declineCode).toBe("insufficient_funds");

    await payOrder(place, alice, orderId);

    expect((await becomes(place, alice, orderId, "PAID")).payment.attemptNumber).toBe(3);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1 }]);
  });

  test("without a method nothing is charged: the customer gets the secret and pays in the browser", async () => {
    const { alice, orderId } = await aRefused();

    const { order, payment } = paidBy(await payOrder(place, alice, orderId, { paymentMethod: "" }));

    expect(order.status).toBe(FAILED);
    expect(payment.attemptNumber).toBe(1);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 0 }]);
    await inBrowser(place, `pay/${intentIn(payment)}`, { payment_method: "pm_card_visa" });
    await becomes(place, alice, orderId, "PAID");
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1 }]);
  });

  test("too many of them are refused for a while: the order stays FAILED, and nobody is mailed for it", async () => {
    const { alice, orderId } = await aRefused();
    const declined = { paymentMethod: DECLINED };
    for (let attempt = 2; attempt <= REFUSED_PER_ORDER; attempt += 1) {
      paidBy(await payOrder(place, alice, orderId, declined));
      await becomes(place, alice, orderId, "FAILED");
    }
    const asked = { paymentMethod: "pm_card_visa" };
    const answers = [1, 2, 3].map(() => payOrder(place, alice, orderId, asked));

    for (const answer of await Promise.all(answers)) {
      expect(["resource_exhausted", "failed_precondition"]).toContain(codeOf(answer));
    }
    const last = await payOrder(place, alice, orderId, asked);
    expect(last).toMatchObject({ status: 429, json: { reason: "TOO_MANY_ATTEMPTS" } });

    const { order, payment } = await becomes(place, alice, orderId, "FAILED");
    expect(payment).toMatchObject({
      attemptNumber: REFUSED_PER_ORDER,
      declineCode: "generic_decline",
    });
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 0 }]);
    const refusals = async () =>
      (await mailsTo(place, alice.email)).filter(({ subject }) =>
        subject.startsWith("Payment ref"),
      );
    await eventually(async () => expect(await refusals()).toHaveLength(REFUSED_PER_ORDER));
    // What is told after it would come after it: the mail of the cancellation is the last.
    await cancelOrder(place, alice, order.id);
    await eventually(async () =>
      expect((await mailsTo(place, alice.email)).at(-1)?.subject).toContain("cancelled"),
    );
    expect(await refusals()).toHaveLength(REFUSED_PER_ORDER);
  });
});

const codeOf = ({ json }: Answer): unknown => (json as { code?: unknown } | undefined)?.code;
const UNMET = { status: 400, json: { code: "failed_precondition" } };

describe.concurrent("an order cannot be paid", () => {
  test.each([
    ["waits for the customer's bank to authenticate", ASKS_CUSTOMER, "REQUIRES_ACTION"],
    ["is at the bank", "pm_usBankAccount_processing", "PROCESSING"],
  ] as const)("by another attempt while the last one %s", async (_what, paymentMethod, status) => {
    const alice = await newCustomer(place);
    const orderId = (await placeOrder(place, alice, anOrder({ paymentMethod }))).order.id;
    await paymentBecomes(place, alice, orderId, status);

    const answer = await payOrder(place, alice, orderId);

    expect(answer).toMatchObject(UNMET);
    expect(answer.text).toContain(status);
    expect((await getOrder(place, alice, orderId)).payment).toMatchObject({ attemptNumber: 1 });
  });

  test("while it is not known what became of the last attempt; then that one has paid it", async () => {
    const { alice, orderId } = await anUnpaid();
    await withoutWebhooks(place, orderId);
    const lost = { operation: "payment_intents.confirm", fault: "execute_then_drop", count: 3 };
    await faultOf(place, orderId, lost);
    const { payment } = paidBy(await payOrder(place, alice, orderId));
    expect(payment.status).toBe(PaymentStatus.UNKNOWN);

    expect(await payOrder(place, alice, orderId)).toMatchObject(UNMET);

    const paid = await becomes(place, alice, orderId, "PAID");
    expect(paid.payment.attemptNumber).toBe(2);
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1 }]);
  });

  test.each(["PAID", "CANCELLED", "EXPIRED"] as const)("when it is %s", async (status) => {
    const { alice, orderId } = await anUnpaid();
    if (status === "PAID") await payOrder(place, alice, orderId);
    if (status === "CANCELLED") await cancelOrder(place, alice, orderId);
    if (status === "EXPIRED") await timeIsOver(place, orderId);
    await becomes(place, alice, orderId, status);

    for (const paymentMethod of ["pm_card_visa", ""]) {
      const answer = await payOrder(place, alice, orderId, { paymentMethod });
      expect(answer).toMatchObject(UNMET);
      expect(answer.text).toContain(status);
    }
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([
      { charges: status === "PAID" ? 1 : 0 },
    ]);
  });

  test("by who has seen another version of it", async () => {
    const { alice, orderId, version } = await aRefused();
    const stale = { expectedVersion: String(version - 1n) };

    const answer = await payOrder(place, alice, orderId, stale);

    expect(answer).toMatchObject({
      status: 409,
      json: { code: "aborted", violations: [{ field: "expectedVersion" }] },
    });
    const { order, payment } = await getOrder(place, alice, orderId);
    expect([order.status, order.version, payment.attemptNumber]).toEqual([FAILED, version, 1]);
    const seen = { expectedVersion: String(version) };
    expect((await payOrder(place, alice, orderId, seen)).status).toBe(200);
  });
});

describe.concurrent("a request_id", () => {
  test("that is sent again is the same attempt, and the same secret", async () => {
    const { alice, orderId } = await aRefused();
    const request = { requestId: randomUUID(), paymentMethod: ASKS_CUSTOMER };

    const first = paidBy(await payOrder(place, alice, orderId, request));
    const again = paidBy(await payOrder(place, alice, orderId, request));

    expect(first.payment.status).toBe(PaymentStatus.REQUIRES_ACTION);
    expect(again.payment).toMatchObject({
      attemptNumber: 2,
      status: PaymentStatus.REQUIRES_ACTION,
      clientSecret: first.payment.clientSecret,
    });
    // Without a method the customer gets the secret too, who came back to authenticate.
    await paymentBecomes(place, alice, orderId, "REQUIRES_ACTION");
    const back = paidBy(await payOrder(place, alice, orderId, { paymentMethod: "" }));
    expect(back.payment.clientSecret).toBe(first.payment.clientSecret);
    await inBrowser(place, `3ds/${intentIn(first.payment)}/succeed`);
    await becomes(place, alice, orderId, "PAID");
  });

  test("that is sent again with the version that was seen before is the same attempt all the same", async () => {
    const { alice, orderId, version } = await aRefused();
    const request = { requestId: randomUUID(), expectedVersion: String(version) };

    paidBy(await payOrder(place, alice, orderId, request));
    await becomes(place, alice, orderId, "PAID");
    const again = paidBy(await payOrder(place, alice, orderId, request));

    expect(again.order.status).toBe(PAID);
    expect(again.payment).toMatchObject({ attemptNumber: 2, status: PaymentStatus.SUCCEEDED });
    expect(await stripePaymentsOf(place, orderId)).toMatchObject([{ charges: 1 }]);
  });

  test("of another method, another order or of CreateOrder is refused", async () => {
    const { alice, orderId } = await aRefused();
    const key = randomUUID();
    const other = await postOrder(place, alice, anUnpaidOrder(), {
      headers: { "idempotency-key": key },
    });
    const second = (other.json as { order: { id: string } }).order.id;
    await paymentBecomes(place, alice, second, "REQUIRES_PAYMENT_METHOD");
    const requestId = randomUUID();
    paidBy(await payOrder(place, alice, orderId, { requestId }));

    const answers = await Promise.all([
      payOrder(place, alice, orderId, { requestId, paymentMethod: "pm_card_mastercard" }),
      payOrder(place, alice, second, { requestId }),
      payOrder(place, alice, second, { requestId: key }),
    ]);

    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 400,
        json: { code: "invalid_argument", reason: "IDEMPOTENCY_KEY_REUSED" },
      });
    }
    expect((await getOrder(place, alice, second)).payment.attemptNumber).toBe(1);
  });
});

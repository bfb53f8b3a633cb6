// The promise: a request_id of PayOrder makes one attempt, however often it is sent.
import { randomUUID } from "node:crypto";
import { describe, expect, inject, test } from "vitest";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { PayOrderResponseSchema } from "../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { type Answer, messageOf } from "../harness/http.ts";
import { aRefusedOrder, intentIn, paymentBecomes, payOrder } from "../harness/orders.ts";
import { inBrowser, stripePaymentsOf } from "../harness/sandbox.ts";
import { anUnpaidOrder, becomes, complete, getOrder, postOrder } from "../harness/shop.ts";

const place = inject("shared");
const { PAID } = OrderStatus;
const ASKS_CUSTOMER = "pm_card_authenticationRequired";

const aRefused = () => aRefusedOrder(place);
const paidBy = (answer: Answer) => complete(messageOf(PayOrderResponseSchema, answer));

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

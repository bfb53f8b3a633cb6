// What somebody does to an order that is there: pays it again, cancels it, gives its money back; and what everybody knows of it.
import { randomUUID } from "node:crypto";
import type { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { GetOrderResponseSchema } from "../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentStatus, type Payment } from "../../gen/waybill/payment/v1/payment_pb.js";
import { CheckPaymentStatusResponseSchema } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { eventually } from "./eventually.ts";
import { type Answer, ask, messageOf } from "./http.ts";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";
import { query } from "./rows.ts";
import { complete, getOrder, type OrderAndPayment } from "./shop.ts";

type Caller = Pick<Person, "token">;
type Fields = Readonly<Record<string, unknown>>;

/** Pays with a card that is good, unless the fields say otherwise. */
export const payOrder = (
  place: Place,
  who: Caller,
  orderId: string,
  fields: Fields = {},
): Promise<Answer> =>
  post(place, who, `orders/${orderId}:pay`, { paymentMethod: "pm_card_visa", ...fields });

export const cancelOrder = (
  place: Place,
  who: Caller,
  orderId: string,
  fields: Fields = {},
): Promise<Answer> => post(place, who, `orders/${orderId}:cancel`, fields);

/** An operator gives back all that is left, unless the fields say how much. */
export const refundPayment = (
  place: Place,
  paymentId: string,
  fields: Fields = {},
): Promise<Answer> =>
  post(place, { token: place.stack.tokens.operator }, `payments/${paymentId}:refund`, {
    requestId: randomUUID(),
    reason: "REFUND_REASON_REQUESTED_BY_CUSTOMER",
    ...fields,
  });

const post = (place: Place, { token }: Caller, path: string, body: unknown) =>
  ask(`${place.stack.gateway}/v1/${path}`, { token, body });

/** The order and its payment as an operator sees them. */
export async function seenByOperator(
  place: Place,
  orderId: string,
): Promise<OrderAndPayment & { readonly atPayment: Payment }> {
  const token = place.stack.tokens.operator;
  const url = `${place.stack.gateway}/v1/orders/${orderId}`;
  const [order, payment] = await Promise.all([
    ask(url, { token }),
    ask(`${url}/payment`, { token }),
  ]);
  const { payment: atPayment } = messageOf(CheckPaymentStatusResponseSchema, payment);
  if (atPayment === undefined) throw new Error("the answer lacks its payment");
  return { ...complete(messageOf(GetOrderResponseSchema, order)), atPayment };
}

/** Waits until the order knows that its payment has the status. */
export const paymentBecomes = (
  place: Place,
  who: Person,
  orderId: string,
  status: keyof typeof PaymentStatus,
): Promise<OrderAndPayment> =>
  eventually(async () => {
    const found = await getOrder(place, who, orderId);
    const now = PaymentStatus[found.payment.status];
    if (now !== status) throw new Error(`the payment of order ${orderId} is ${now}, not ${status}`);
    return found;
  });

/** The order should have been paid by now. */
export async function timeIsOver(place: Place, orderId: string): Promise<void> {
  const text = "update orders set expire_time = now(), due_time = now() where id = $1";
  await query(place, "order", text, [orderId]);
}

/** The status in an answer to a call about an order; undefined where it is none. */
export function statusIn({ json }: Answer): keyof typeof OrderStatus | undefined {
  const { order } = (json ?? {}) as { order?: { status?: string } };
  return order?.status?.replace("ORDER_STATUS_", "") as keyof typeof OrderStatus | undefined;
}

/** The PaymentIntent in the secret that the customer gets. */
export const intentIn = (payment: { readonly clientSecret: string }): string =>
  payment.clientSecret.split("_secret_")[0] ?? "";

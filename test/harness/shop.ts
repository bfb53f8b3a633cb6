// What a customer does: orders over JSON through the gateway, and looks at the order.
import {
  CreateOrderResponseSchema,
  GetOrderResponseSchema,
} from "../../gen/waybill/order/v1/order_service_pb.js";
import { OrderStatus, type Order, type OrderPayment } from "../../gen/waybill/order/v1/order_pb.js";
import type { Notification } from "../../gen/waybill/notification/v1/notification_pb.js";
import { ListNotificationsResponseSchema } from "../../gen/waybill/notification/v1/notification_service_pb.js";
import { eventually } from "./eventually.ts";
import { type Answer, ask, messageOf, type Question } from "./http.ts";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";

export interface OrderAndPayment {
  readonly order: Order;
  readonly payment: OrderPayment;
}

/** The JSON of a new order; the seeded products are in dev/stack/products.ts. */
export function anOrder(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    items: [{ sku: "coffee-beans-1kg", quantity: 2 }],
    paymentMethod: "pm_card_visa",
    ...fields,
  };
}

/** An order that waits to be paid in the customer's browser. */
export function anUnpaidOrder(): Record<string, unknown> {
  return { items: [{ sku: "espresso-cups", quantity: 1 }] };
}

export function postOrder(
  place: Place,
  who: Person,
  body: unknown,
  more: Question = {},
): Promise<Answer> {
  return ask(`${place.stack.gateway}/v1/orders`, { token: who.token, body, ...more });
}

/** The order as it was taken. @throws unless it was */
export async function placeOrder(
  place: Place,
  who: Person,
  body: unknown = anOrder(),
  headers: Readonly<Record<string, string>> = {},
): Promise<OrderAndPayment> {
  const answer = messageOf(
    CreateOrderResponseSchema,
    await postOrder(place, who, body, { headers }),
  );
  return complete(answer);
}

export async function getOrder(
  place: Place,
  who: Person,
  orderId: string,
): Promise<OrderAndPayment> {
  const answer = await ask(`${place.stack.gateway}/v1/orders/${orderId}`, { token: who.token });
  return complete(messageOf(GetOrderResponseSchema, answer));
}

/** Waits until the order has the status. */
export function becomes(
  place: Place,
  who: Person,
  orderId: string,
  status: keyof typeof OrderStatus,
): Promise<OrderAndPayment> {
  return eventually(async () => {
    const found = await getOrder(place, who, orderId);
    const now = OrderStatus[found.order.status];
    if (now !== status) throw new Error(`order ${orderId} is ${now}, not ${status}`);
    return found;
  });
}

/** What the customer was told about the order, and how far it got; the newest first. */
export async function notificationsOf(
  place: Place,
  who: Person,
  orderId: string,
): Promise<readonly Notification[]> {
  const url = `${place.stack.gateway}/v1/notifications?order_id=${orderId}`;
  const answer = await ask(url, { token: who.token });
  return messageOf(ListNotificationsResponseSchema, answer).notifications;
}

/** @throws where an answer about an order lacks a part */
export function complete({
  order,
  payment,
}: {
  order?: Order | undefined;
  payment?: OrderPayment | undefined;
}): OrderAndPayment {
  if (order === undefined || payment === undefined)
    throw new Error("the answer lacks its order or its payment");
  return { order, payment };
}

// Rows of the Order service to messages of the contract.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { MoneySchema, type Money } from "../../gen/waybill/money/v1/money_pb.js";
import {
  OrderPaymentSchema,
  OrderSchema,
  OrderStatus,
  type Order,
  type OrderPayment,
} from "../../gen/waybill/order/v1/order_pb.js";
import type { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { ProductSchema, type Product } from "../../gen/waybill/order/v1/product_pb.js";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import type { OrderState, PaymentState } from "./order.ts";
import type { ProductRow } from "./product-store.ts";
import type { OrderRefundRow } from "./refund-store.ts";
import type { OrderRow, OrderWithItems } from "./store.ts";

const money = (currencyCode: string, minorUnits: bigint): Money =>
  create(MoneySchema, { currencyCode, minorUnits });

export function toOrder({ order, items }: OrderWithItems): Order {
  return create(OrderSchema, {
    id: order.id,
    number: order.number,
    customerId: order.customerId,
    status: OrderStatus[order.status as OrderState],
    items: items.map((item) => ({
      sku: item.sku,
      name: item.name,
      quantity: item.quantity,
      unitPrice: money(order.currencyCode, item.unitPriceMinorUnits),
      subtotal: money(order.currencyCode, item.subtotalMinorUnits),
    })),
    total: money(order.currencyCode, order.totalMinorUnits),
    contact: { email: order.email, phoneNumber: order.phoneNumber, locale: order.locale },
    createTime: timestampFromDate(order.createTime),
    updateTime: timestampFromDate(order.updateTime),
    version: order.version,
  });
}

export function orderCreated(created: OrderWithItems): MessageInitShape<typeof OrderEventSchema> {
  const { id, customerId, number, items, total, contact, createTime } = toOrder(created);
  const value = {
    number,
    items,
    ...(total && { total }),
    ...(contact && { contact }),
    ...(createTime && { createTime }),
  };
  return { orderId: id, customerId, event: { case: "orderCreated", value } };
}

/** Of these nothing has left us, or it came back. */
const NOT_REFUNDED = new Set(["PENDING_INITIATION", "FAILED", "CANCELLED"]);

const refundedOf = (refunds: readonly OrderRefundRow[]): bigint =>
  refunds
    .filter(({ status }) => !NOT_REFUNDED.has(status))
    .reduce((sum, { minorUnits }) => sum + minorUnits, 0n);

export const toOrderPayment = (
  order: OrderRow,
  refunds: readonly OrderRefundRow[] = [],
): OrderPayment =>
  create(OrderPaymentSchema, {
    id: order.paymentId ?? "",
    status: PaymentStatus[order.paymentStatus as PaymentState],
    declineCode: order.declineCode,
    attemptNumber: order.attemptNumber,
    refunded: money(order.currencyCode, refundedOf(refunds)),
    disputed: order.disputed,
    refunds: refunds.map((refund) => ({
      id: refund.id,
      paymentId: refund.paymentId,
      amount: money(order.currencyCode, refund.minorUnits),
      status: RefundStatus[refund.status as keyof typeof RefundStatus],
      reason: RefundReason[refund.reason as keyof typeof RefundReason],
      failureReason: refund.failureReason,
      createTime: timestampFromDate(refund.createTime),
      updateTime: timestampFromDate(refund.updateTime),
    })),
  });

export const toProduct = (product: ProductRow): Product =>
  create(ProductSchema, {
    sku: product.sku,
    name: product.name,
    unitPrice: money(product.currencyCode, product.minorUnits),
  });

// What is fuzzed: every RPC of the two services, with a request that is right and somebody who may make it.
import { randomUUID } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { CatalogService } from "../../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderService } from "../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { newCustomer } from "../harness/people.ts";
import type { Place } from "../harness/place.ts";
import { anOrder, anUnpaidOrder, becomes, placeOrder } from "../harness/shop.ts";
import type { Json } from "./spots.ts";

export interface Target {
  readonly method: DescMethod;
  readonly gateway: string;
  /** Where the service itself listens. */
  readonly service: string;
  readonly token: string;
  /** A request that is right, in JSON; a new one each time where it makes something. */
  readonly sample: () => Json;
}

const SERVED = [
  ["order", OrderService],
  ["order", CatalogService],
  ["payment", PaymentService],
] as const;

const eur = (minorUnits: string) => ({ currencyCode: "EUR", minorUnits });

/** Customers and orders that nobody else knows. An RPC that is added to the contract needs a sample here. */
export async function openTargets(place: Place): Promise<Target[]> {
  const { services, gateway, tokens } = place.stack;
  const customer = await newCustomer(place);
  const unpaid = await placeOrder(place, customer, anUnpaidOrder());
  const taken = await placeOrder(place, customer, anOrder());
  const paid = await becomes(place, customer, taken.order.id, "PAID");
  const samples = samplesOf({
    orderId: unpaid.order.id,
    customerId: customer.id,
    paidPaymentId: paid.payment.id,
  });
  return SERVED.flatMap(([service, { methods }]) =>
    methods.map((method) => {
      const sample = samples[method.name];
      if (sample === undefined) throw new Error(`${method.name} has no sample in targets.ts`);
      const token =
        service === "payment" || method.name === "PutProduct" ? tokens.operator : customer.token;
      return { method, gateway, service: services[service].url, token, sample };
    }),
  );
}

function samplesOf(known: {
  readonly orderId: string;
  readonly customerId: string;
  readonly paidPaymentId: string;
}): Readonly<Record<string, () => Json>> {
  const { orderId, customerId, paidPaymentId } = known;
  const page = { pageSize: 2, pageToken: "" };
  const times = {
    createTimeFrom: "2026-01-01T00:00:00Z",
    createTimeBefore: "2126-01-01T00:00:00Z",
  };
  return {
    CreateOrder: () => ({
      requestId: randomUUID(),
      items: [{ sku: "espresso-cups", quantity: 1 }],
      paymentMethod: "pm_card_chargeDeclined",
      contact: { email: "ada@example.com", phoneNumber: "+4915112345678", locale: "de" },
      expectedTotal: eur("2450"),
    }),
    GetOrder: () => ({ orderId }),
    ListOrders: () => ({ ...page, statuses: ["ORDER_STATUS_PENDING"], ...times }),
    PayOrder: () => ({
      orderId,
      requestId: randomUUID(),
      paymentMethod: "pm_card_chargeDeclined",
      expectedVersion: "77",
    }),
    CancelOrder: () => ({ orderId, expectedVersion: "77" }),
    WatchOrder: () => ({ orderId }),
    ListProducts: () => page,
    PutProduct: () => ({ sku: "fuzzed", name: "Fuzzed", unitPrice: eur("100") }),
    ...paymentSamples({ customerId, paidPaymentId }, { ...page, ...times }),
  };
}

function paymentSamples(
  { customerId, paidPaymentId }: { readonly customerId: string; readonly paidPaymentId: string },
  list: Json,
): Readonly<Record<string, () => Json>> {
  return {
    InitiatePayment: () => ({
      orderId: randomUUID(),
      attemptNumber: 1,
      customerId,
      amount: eur("100"),
      paymentMethod: "pm_card_chargeDeclined",
    }),
    CheckPaymentStatus: () => ({ paymentId: paidPaymentId }),
    CancelPayment: () => ({
      orderId: randomUUID(),
      customerId,
      amount: eur("100"),
      abandoned: true,
    }),
    RefundPayment: () => ({
      paymentId: paidPaymentId,
      requestId: randomUUID(),
      amount: eur("1"),
      reason: "REFUND_REASON_REQUESTED_BY_CUSTOMER",
    }),
    ListPayments: () => ({
      ...list,
      statuses: ["PAYMENT_STATUS_UNKNOWN"],
      stuckForSeconds: 60,
      customerId,
      disputed: true,
    }),
  };
}

// A new order as it will be stored: priced, numbered, PENDING.
import { create } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { randomBytes } from "node:crypto";
import { ContactSchema, type Contact } from "../../gen/waybill/order/v1/order_pb.js";
import type { CreateOrderRequest } from "../../gen/waybill/order/v1/order_service_pb.js";
import type { Principal } from "../platform/access/principal.ts";
import { newId } from "../platform/id.ts";
import { Refusal } from "../platform/refusal.ts";
import { traceToStore } from "../platform/trace.ts";
import { DUE_LEASE_MS } from "./due.ts";
import { ORDER_NUMBER_BYTES, orderNumber } from "./number.ts";
import { FIRST_VERSION } from "./order.ts";
import { mustBeExpected, price } from "./price.ts";
import type { ProductRow } from "./product-store.ts";
import type { OrderWithItems } from "./store.ts";

type Customer = Extract<Principal, { kind: "customer" }>;

/** Refuses what cannot be priced, what costs another total than expected, and an order whose customer could not be told of it. */
export function draftOrder(
  request: CreateOrderRequest,
  customer: Customer,
  shop: { readonly priceBook: ReadonlyMap<string, ProductRow>; readonly expireAfterMs: number },
): OrderWithItems {
  const priced = price(request.items, shop.priceBook);
  mustBeExpected(priced, request.expectedTotal);
  const { items, currencyCode, totalMinorUnits } = priced;
  const contact = contactOf(request, customer);
  const id = newId();
  const createTime = new Date();
  const order = {
    id,
    number: orderNumber(randomBytes(ORDER_NUMBER_BYTES)),
    customerId: customer.id,
    status: "PENDING",
    currencyCode,
    totalMinorUnits,
    email: contact.email,
    phoneNumber: contact.phoneNumber,
    locale: contact.locale,
    paymentMethod: request.paymentMethod,
    paymentId: null,
    paymentStatus: "PENDING_INITIATION",
    attemptNumber: 1,
    declineCode: "",
    initiated: false,
    closing: null,
    lateMoney: false,
    refundedMinorUnits: 0n,
    disputed: false,
    expireTime: new Date(createTime.getTime() + shop.expireAfterMs),
    dueTime: new Date(createTime.getTime() + DUE_LEASE_MS),
    tries: 0,
    traceparent: traceToStore(),
    version: FIRST_VERSION,
    createTime,
    updateTime: createTime,
  };
  return {
    order,
    items: items.map((item, position) => Object.assign({ orderId: id, position }, item)),
  };
}

const validator = createValidator();

/** Where to tell the customer. The request was validated; the address in the token is the identity provider's word. */
function contactOf(request: CreateOrderRequest, customer: Customer): Contact {
  const email = request.contact?.email || customer.email || "";
  const contact = create(ContactSchema, {
    email,
    phoneNumber: request.contact?.phoneNumber ?? "",
    locale: request.contact?.locale ?? "",
  });
  const isGood = email !== "" && validator.validate(ContactSchema, contact).kind === "valid";
  if (isGood) return contact;
  throw new Refusal(
    "invalid_argument",
    "an order needs an e-mail address: give one here, or a good one in the token",
    { field: "contact.email" },
  );
}

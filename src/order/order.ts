// The rules of orders: pricing, and what a payment's news does to an order. Pure: no clock, no database.
import type { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import type { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import { Refusal } from "../platform/refusal.ts";

/** The most that one order may cost: Stripe takes amounts of up to eight digits. https://docs.stripe.com/api/payment_intents/create#create_payment_intent-amount */
export const MAX_TOTAL_MINOR_UNITS = 99_999_999n;

export type OrderState = Exclude<keyof typeof OrderStatus, "UNSPECIFIED">;
export type PaymentState = Exclude<keyof typeof PaymentStatus, "UNSPECIFIED">;

export interface Price {
  readonly sku: string;
  readonly name: string;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

export interface PricedItem {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPriceMinorUnits: bigint;
  readonly subtotalMinorUnits: bigint;
}

export interface PricedOrder {
  readonly items: readonly PricedItem[];
  readonly currencyCode: string;
  readonly totalMinorUnits: bigint;
}

/** Prices what was asked for from the price book. Refuses an unknown sku, two currencies, and a total of nothing or over the limit. */
export function price(
  wanted: readonly { readonly sku: string; readonly quantity: number }[],
  priceBook: ReadonlyMap<string, Price>,
): PricedOrder {
  const items: PricedItem[] = [];
  let currencyCode = "";
  let totalMinorUnits = 0n;
  for (const [position, { sku, quantity }] of wanted.entries()) {
    const product = priceBook.get(sku);
    if (product === undefined) {
      throw refused(
        `items[${position}].sku`,
        `there is no product "${sku}"; ListProducts names them all`,
      );
    }
    if (currencyCode !== "" && product.currencyCode !== currencyCode) {
      throw refused(
        `items[${position}].sku`,
        `"${sku}" is priced in ${product.currencyCode} and the items before it in ${currencyCode}; an order has one currency`,
      );
    }
    currencyCode = product.currencyCode;
    const subtotalMinorUnits = product.minorUnits * BigInt(quantity);
    totalMinorUnits += subtotalMinorUnits;
    items.push({
      sku,
      name: product.name,
      quantity,
      unitPriceMinorUnits: product.minorUnits,
      subtotalMinorUnits,
    });
  }
  if (totalMinorUnits <= 0n) throw refused("items", "an order must cost more than nothing");
  if (totalMinorUnits > MAX_TOTAL_MINOR_UNITS) {
    throw refused(
      "items",
      `an order may cost ${MAX_TOTAL_MINOR_UNITS} minor units of ${currencyCode} at most, and this one costs ${totalMinorUnits}`,
    );
  }
  return { items, currencyCode, totalMinorUnits };
}

const refused = (field: string, message: string) =>
  new Refusal("invalid_argument", message, { field });

export interface PaymentNews {
  readonly status: PaymentState;
  readonly attemptNumber: number;
}

export type Decision =
  | { readonly change: true; readonly status: OrderState }
  | { readonly change: false; readonly reason: string };

/**
 * What a payment's news does to an order. PAID, CANCELLED and EXPIRED are final. What an older attempt says is ignored, unless it
 * succeeded: money that came in is never overlooked.
 */
export function onPaymentStatus(
  order: { readonly status: OrderState; readonly attemptNumber: number },
  news: PaymentNews,
): Decision {
  if (order.status === "PAID") return ignored("the order is paid already");
  if (order.status === "CANCELLED" || order.status === "EXPIRED")
    return ignored(`the order is ${order.status} already`);
  if (news.status === "SUCCEEDED") return { change: true, status: "PAID" };
  if (news.attemptNumber < order.attemptNumber) {
    return ignored(
      `it speaks of attempt ${news.attemptNumber}, and attempt ${order.attemptNumber} is under way`,
    );
  }
  return { change: true, status: news.status === "FAILED" ? "FAILED" : "PENDING" };
}

const ignored = (reason: string): Decision => ({ change: false, reason });

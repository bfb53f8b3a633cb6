// What an order costs: the price book decides, never the caller. Pure: no clock, no database.
import { Refusal } from "../platform/refusal.ts";

/** The most that one order may cost: Stripe takes amounts of up to eight digits. https://docs.stripe.com/api/payment_intents/create#create_payment_intent-amount */
export const MAX_TOTAL_MINOR_UNITS = 99_999_999n;

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

/** Refuses an order whose customer was shown another total than the price book gives now. */
export function mustBeExpected(
  priced: PricedOrder,
  expected: { readonly currencyCode: string; readonly minorUnits: bigint } | undefined,
): void {
  if (expected === undefined) return;
  const { currencyCode, totalMinorUnits } = priced;
  if (expected.currencyCode === currencyCode && expected.minorUnits === totalMinorUnits) return;
  throw new Refusal(
    "failed_precondition",
    `the order costs ${totalMinorUnits} minor units of ${currencyCode}, not the expected ${expected.minorUnits} of ` +
      `${expected.currencyCode}; show the customer the new total and ask again`,
    { field: "expected_total", reason: "PRICE_CHANGED" },
  );
}

const refused = (field: string, message: string) =>
  new Refusal("invalid_argument", message, { field });

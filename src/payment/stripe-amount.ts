// Amounts as Stripe counts them, from ISO 4217's minor units. https://docs.stripe.com/currencies#zero-decimal
import { Refusal } from "../platform/refusal.ts";

/** Stripe takes amounts of up to eight digits. */
const MAX_STRIPE_AMOUNT = 99_999_999n;

/** Two currencies without minor units that Stripe counts in hundredths all the same, for old times' sake. */
const HUNDREDFOLD = new Set(["ISK", "UGX"]);
/** ISO gives the ariary two decimals, Stripe none. */
const HUNDREDTH = new Set(["MGA"]);
/** Three decimals, of which the last must be 0: Stripe takes no finer amount. */
const TENS_ONLY = new Set(["BHD", "JOD", "KWD", "OMR", "TND"]);

/** The amount for Stripe. Refuses what Stripe cannot take: nothing, too much, or too fine for the currency. */
export function toStripeAmount(currencyCode: string, minorUnits: bigint): number {
  if (minorUnits <= 0n) throw refused("it must be more than nothing");
  if (HUNDREDTH.has(currencyCode) && minorUnits % 100n !== 0n)
    throw refused(`${currencyCode} is charged in whole units, multiples of 100`);
  if (TENS_ONLY.has(currencyCode) && minorUnits % 10n !== 0n)
    throw refused(`${currencyCode} is charged in multiples of 10`);
  const amount = HUNDREDFOLD.has(currencyCode)
    ? minorUnits * 100n
    : HUNDREDTH.has(currencyCode)
      ? minorUnits / 100n
      : minorUnits;
  if (amount > MAX_STRIPE_AMOUNT) throw refused("Stripe takes no amount of more than eight digits");
  return Number(amount);
}

const refused = (why: string) =>
  new Refusal("invalid_argument", `the amount cannot be charged: ${why}`, {
    field: "amount.minor_units",
  });

/** An amount of Stripe's in our minor units. What Stripe has of a currency's coarser units is never finer than ours. */
export function fromStripeAmount(currencyCode: string, amount: number): bigint {
  if (HUNDREDFOLD.has(currencyCode)) return BigInt(amount) / 100n;
  return HUNDREDTH.has(currencyCode) ? BigInt(amount) * 100n : BigInt(amount);
}

// Amounts as people read them.

/** Currencies whose minor unit is not a hundredth, by the number of decimals (ISO 4217). */
const DECIMALS: Readonly<Record<string, number>> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
};

/** 1999 minor units of EUR: "€19.99" in English, "19,99 €" in German. Exact: no amount passes through a floating-point number. */
export function formatMoney(currencyCode: string, minorUnits: bigint, locale: string): string {
  const decimals = DECIMALS[currencyCode] ?? 2;
  const digits = minorUnits.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const exact = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
  // Intl joins number and sign by a no-break space, which would double the length of an SMS.
  return formatterOf(currencyCode, decimals, locale)
    .format(exact as `${number}`)
    .replaceAll(/[\u00a0\u202f]/g, " ");
}

/** Making one costs more than all the rest of a message. There are as many as currencies and languages in use. */
const formatters = new Map<string, Intl.NumberFormat>();

function formatterOf(currency: string, decimals: number, locale: string): Intl.NumberFormat {
  const name = `${currency} ${locale}`;
  const known = formatters.get(name);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  formatters.set(name, made);
  return made;
}

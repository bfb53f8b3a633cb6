// What reads like the number of a payment card. Card numbers must not come in, be stored or be logged (PCI DSS, SAQ A). Pure.

/** The shortest and the longest number of a card (ISO/IEC 7812-1), in digits. */
const DIGITS = /^\d{13,19}$/;
/** What people write between its groups: spaces and dashes of any make. */
const BETWEEN = /[\s\p{Pd}]+/gu;

interface Issuers {
  /** First digits, from and to, both included and of the same length. */
  readonly from: string;
  readonly to: string;
  readonly lengths: readonly number[];
}

const ANY_LENGTH = [13, 14, 15, 16, 17, 18, 19];

/**
 * The networks' ranges and lengths, after https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
 * and https://github.com/braintree/credit-card-type. Too wide is the safe side: fields that hold other numbers say so.
 */
const ISSUERS: readonly Issuers[] = [
  // Visa; Elo and Maestro have some of its ranges.
  { from: "4", to: "4", lengths: ANY_LENGTH },
  // Mastercard.
  { from: "51", to: "55", lengths: [16] },
  { from: "2221", to: "2720", lengths: [16] },
  // Mir.
  { from: "2200", to: "2204", lengths: [16, 17, 18, 19] },
  // American Express.
  { from: "34", to: "34", lengths: [15] },
  { from: "37", to: "37", lengths: [15] },
  // Diners Club.
  { from: "300", to: "305", lengths: [14, 15, 16, 17, 18, 19] },
  { from: "309", to: "309", lengths: [14, 15, 16, 17, 18, 19] },
  { from: "36", to: "36", lengths: [14, 15, 16, 17, 18, 19] },
  { from: "38", to: "39", lengths: [14, 15, 16, 17, 18, 19] },
  // JCB.
  { from: "3528", to: "3589", lengths: [16, 17, 18, 19] },
  // Maestro and RuPay; then Maestro, Discover (6011, 644-649, 65), UnionPay (62), BCcard, DinaCard, Elo, Hipercard, RuPay.
  { from: "50", to: "50", lengths: ANY_LENGTH },
  { from: "56", to: "69", lengths: ANY_LENGTH },
  // UnionPay and RuPay.
  { from: "81", to: "82", lengths: [16, 17, 18, 19] },
  // Troy.
  { from: "9792", to: "9792", lengths: [16] },
];

/** Whether the text as a whole is a card's number: digits, with spaces or dashes, of an issuer's range, with the right check digit. */
export function isCardNumber(text: string): boolean {
  const digits = text.replaceAll(BETWEEN, "");
  return DIGITS.test(digits) && isIssued(digits) && passesLuhn(digits);
}

const isIssued = (digits: string): boolean =>
  ISSUERS.some(({ from, to, lengths }) => {
    const first = digits.slice(0, from.length);
    return first >= from && first <= to && lengths.includes(digits.length);
  });

/** The check digit of ISO/IEC 7812-1, annex B: every second digit from the right doubled, the digits of all summed, is a multiple of ten. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits.at(-1 - place));
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

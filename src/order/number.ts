// The number of an order that people read to each other.

/** Crockford's base 32: no I, L, O or U, so that it can be read aloud. https://www.crockford.com/base32.html */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The random bytes that a number is made of. 50 bits of them count: it is not to be guessed. */
export const ORDER_NUMBER_BYTES = 10;

/** "7K3M-9QXW-2D" from ten random bytes. */
export function orderNumber(random: Uint8Array): string {
  const digits = Array.from(
    random.subarray(0, ORDER_NUMBER_BYTES),
    (byte) => ALPHABET[byte % 32] ?? "0",
  ).join("");
  return `${digits.slice(0, 4)}-${digits.slice(4, 8)}-${digits.slice(8)}`;
}

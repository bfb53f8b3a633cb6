// A handful of products, so that there is something to order in a new stack.
import postgres from "postgres";

/** sku, name, currency, price in the currency's minor units. */
const PRODUCTS: readonly (readonly [string, string, string, number])[] = [
  ["coffee-beans-1kg", "Coffee beans, 1 kg", "EUR", 1899],
  ["espresso-cups", "Espresso cups, set of six", "EUR", 2450],
  ["grinder", "Hand grinder", "EUR", 8900],
  ["tea-sencha", "Sencha, 100 g", "JPY", 1200],
  ["dates-gift-box", "Dates, gift box", "KWD", 4500],
];

/** Puts them into Order's price book; what is there already stays as it is. */
export async function seedProducts(orderDatabase: string): Promise<void> {
  const sql = postgres(orderDatabase, { max: 1, onnotice: () => undefined });
  const rows = PRODUCTS.map(([sku, name, currency_code, minor_units]) => {
    return { sku, name, currency_code, minor_units };
  });
  try {
    await sql`insert into products ${sql(rows)} on conflict do nothing`;
  } finally {
    await sql.end();
  }
}

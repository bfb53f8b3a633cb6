// What a refused request must not do: leave rows behind, or show the insides of a service.
import { expect } from "vitest";
import type { Place } from "./place.ts";
import { query } from "./rows.ts";

/** Words of our own code, libraries, databases and machines. */
const INSIDES =
  /node_modules|\/work|src\/|\.ts\b|at \w+ \(|postgres|drizzle|sqlstate|relation "|ECONN|kafka|127\.0\.0\.1|connecterror|stack/i;

/** Fails where a text for a caller holds words that say how the services are built. */
export function leaksNothing(text: string): void {
  expect(text).not.toMatch(INSIDES);
}

/** How many rows there are of a customer, in all databases. */
export async function rowsOf(place: Place, customerId: string): Promise<Record<string, number>> {
  const count = async (store: "order" | "payment" | "notification", table: string) => {
    const text = `select count(*)::int as n from ${table} where customer_id = $1`;
    const [row] = await query<{ n: number }>(place, store, text, [customerId]);
    return row?.n ?? 0;
  };
  const [orders, requests, payments, mails] = await Promise.all([
    count("order", "orders"),
    count("order", "order_requests"),
    count("payment", "payments"),
    count("notification", "notifications"),
  ]);
  return { orders, requests, payments, mails };
}

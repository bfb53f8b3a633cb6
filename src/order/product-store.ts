// The Order service's SQL about the price book.
import { asc, gt, inArray, sql } from "drizzle-orm";
import type { Database } from "../platform/database/open.ts";
import { products } from "./schema.ts";

export type ProductRow = typeof products.$inferSelect;

export async function findProducts(
  db: Database,
  skus: readonly string[],
): Promise<Map<string, ProductRow>> {
  const rows = await db
    .select()
    .from(products)
    .where(inArray(products.sku, [...new Set(skus)]));
  return new Map(rows.map((row) => [row.sku, row]));
}

export const listProducts = (
  db: Database,
  page: { after: string | undefined; limit: number },
): Promise<ProductRow[]> =>
  db
    .select()
    .from(products)
    .where(page.after === undefined ? undefined : gt(products.sku, page.after))
    .orderBy(asc(products.sku))
    .limit(page.limit);

/** Adds the product, or gives the one that is there this name and price. */
export async function saveProduct(
  db: Database,
  product: Pick<ProductRow, "sku" | "name" | "currencyCode" | "minorUnits">,
): Promise<ProductRow> {
  const { name, currencyCode, minorUnits } = product;
  const [row] = await db
    .insert(products)
    .values(product)
    .onConflictDoUpdate({
      target: products.sku,
      set: { name, currencyCode, minorUnits, updateTime: sql`now()` },
    })
    .returning();
  if (row === undefined) throw new Error(`the product ${product.sku} was not stored`);
  return row;
}

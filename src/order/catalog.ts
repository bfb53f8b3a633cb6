// CatalogService: the price book.
import type { ConnectRouter } from "@connectrpc/connect";
import {
  CatalogService,
  type ListProductsRequest,
  type PutProductRequest,
} from "../../gen/waybill/order/v1/catalog_service_pb.js";
import type { Database } from "../platform/database/open.ts";
import { cutPage, pageSizeOf, readPageToken } from "../platform/page.ts";
import { Refusal } from "../platform/refusal.ts";
import { MAX_TOTAL_MINOR_UNITS } from "./price.ts";
import { listProducts, saveProduct } from "./product-store.ts";
import { toProduct } from "./wire.ts";

const SKU_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** ISO 4217, as far as this Node knows it. */
const CURRENCIES = new Set(Intl.supportedValuesOf("currency"));

export const catalogRoutes = (parts: { readonly db: Database }) => (router: ConnectRouter) => {
  router.service(CatalogService, {
    listProducts: (request) => listProductsPage(parts.db, request),
    putProduct: (request) => putProduct(parts.db, request),
  });
};

async function listProductsPage(db: Database, request: ListProductsRequest) {
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, "products", SKU_KEY);
  const rows = await listProducts(db, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.sku, "products");
  return { products: page.map(toProduct), nextPageToken };
}

async function putProduct(db: Database, { sku, name, unitPrice }: PutProductRequest) {
  const { currencyCode = "", minorUnits = 0n } = unitPrice ?? {};
  if (!CURRENCIES.has(currencyCode))
    throw refused("currency_code", `"${currencyCode}" is no currency of ISO 4217`);
  if (minorUnits <= 0n || minorUnits > MAX_TOTAL_MINOR_UNITS)
    throw refused("minor_units", `it must be from 1 to ${MAX_TOTAL_MINOR_UNITS}`);
  return { product: toProduct(await saveProduct(db, { sku, name, currencyCode, minorUnits })) };
}

const refused = (field: string, message: string) =>
  new Refusal("invalid_argument", message, { field: `unit_price.${field}` });

// The RPCs of the Order service: edge, load, decide, save with the event, answer.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import {
  CatalogService,
  type ListProductsRequest,
} from "../../gen/waybill/order/v1/catalog_service_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import {
  OrderService,
  type CreateOrderRequest,
  type GetOrderRequest,
  type ListOrdersRequest,
} from "../../gen/waybill/order/v1/order_service_pb.js";
import { customerScope } from "../platform/access/principal.ts";
import { violatesUnique } from "../platform/database/unique.ts";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "../platform/page.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { draftOrder } from "./draft.ts";
import { initiatePayment, type OrderParts } from "./initiate.ts";
import {
  findOrder,
  findProducts,
  findRequest,
  listOrders,
  listProducts,
  REQUEST_KEY,
  saveOrder,
  type OrderWithItems,
  type RequestRow,
} from "./store.ts";
import { orderCreated, requestHash, toOrder, toOrderPayment, toProduct } from "./wire.ts";
import { together } from "../platform/events/together.ts";

const SKU_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const orderRoutes = (parts: OrderParts) => (router: ConnectRouter) => {
  router.service(OrderService, {
    createOrder: (request, context) => createOrder(parts, request, context),
    getOrder: (request, context) => getOrder(parts, request, context),
    listOrders: (request, context) => listOrdersPage(parts, request, context),
  });
  router.service(CatalogService, { listProducts: (request) => listProductsPage(parts, request) });
};

async function createOrder(
  parts: OrderParts,
  request: CreateOrderRequest,
  context: HandlerContext,
) {
  const customer = principalOf(context);
  if (customer.kind !== "customer")
    throw new Refusal("permission_denied", "only a customer may order");
  const [known, priceBook] = await Promise.all([
    findRequest(parts.db, customer.id, request.requestId),
    findProducts(
      parts.db,
      request.items.map((item) => item.sku),
    ),
  ]);
  const taken =
    known === undefined
      ? await takeOrder(parts, request, draftOrder(request, customer, priceBook))
      : await sameOrder(parts, request, known);

  const payment =
    taken.order.status === "PENDING"
      ? await initiatePayment(parts, taken.order, {
          onBehalfOf: customer.id,
          timeoutMs: context.timeoutMs(),
        })
      : toOrderPayment(taken.order);
  return { order: toOrder(taken), payment };
}

/** Stores a new order with its event in one transaction; or finds the one that another call with the same request_id made meanwhile. */
async function takeOrder(
  parts: OrderParts,
  request: CreateOrderRequest,
  draft: OrderWithItems,
): Promise<OrderWithItems> {
  const { order } = draft;
  const { customerId, createTime } = order;
  const { requestId } = request;
  const row = {
    customerId,
    requestId,
    requestHash: requestHash(request),
    orderId: order.id,
    createTime,
  };
  try {
    await parts.inTransaction(async (tx) => {
      await together([
        saveOrder(tx, row, draft),
        parts.outbox.publish(tx, OrderEventSchema, orderCreated(draft)),
      ]);
    });
    return draft;
  } catch (error) {
    if (violatesUnique(error, REQUEST_KEY))
      return await sameOrder(parts, request, await findRequest(parts.db, customerId, requestId));
    throw error;
  }
}

/** The order that the same request made before (AIP-155). Refuses the ID for another request. */
async function sameOrder(
  parts: OrderParts,
  request: CreateOrderRequest,
  known: RequestRow | undefined,
): Promise<OrderWithItems> {
  const found = known && (await findOrder(parts.db, known.orderId, known.customerId));
  if (known === undefined || found === undefined)
    throw new Refusal("aborted", "the first call with this request_id was given up; try again");
  if (known.requestHash !== requestHash(request)) {
    throw new Refusal(
      "invalid_argument",
      "this request_id was used for another request; choose a new one for each order",
      {
        field: "request_id",
        reason: "IDEMPOTENCY_KEY_REUSED",
      },
    );
  }
  return found;
}

async function getOrder(parts: OrderParts, request: GetOrderRequest, context: HandlerContext) {
  const found = await findOrder(parts.db, request.orderId, customerScope(principalOf(context)));
  if (found === undefined)
    throw new Refusal("not_found", `there is no order ${request.orderId}`, { field: "order_id" });
  return { order: toOrder(found), payment: toOrderPayment(found.order) };
}

async function listOrdersPage(
  parts: OrderParts,
  request: ListOrdersRequest,
  context: HandlerContext,
) {
  const scope = customerScope(principalOf(context));
  const filter = `orders:${scope ?? ""}`;
  const size = pageSizeOf(request.pageSize);
  const before = readPageToken(request.pageToken, filter, ID_KEY);
  const rows = await listOrders(parts.db, scope, { before, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.order.id, filter);
  return { orders: page.map(toOrder), nextPageToken };
}

async function listProductsPage(parts: OrderParts, request: ListProductsRequest) {
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, "products", SKU_KEY);
  const rows = await listProducts(parts.db, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.sku, "products");
  return { products: page.map(toProduct), nextPageToken };
}

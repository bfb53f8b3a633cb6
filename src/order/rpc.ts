// The RPCs of the Order service; those that change an order have a file each.
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import {
  OrderService,
  type GetOrderRequest,
  type ListOrdersRequest,
} from "../../gen/waybill/order/v1/order_service_pb.js";
import { customerScope } from "../platform/access/principal.ts";
import { cutPage, ID_KEY, pageSizeOf, readPageToken } from "../platform/page.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { mustFindOrder, orderAndPayment } from "./answer.ts";
import { cancelOrder } from "./cancel.ts";
import { createOrder } from "./create.ts";
import type { OrderState } from "./order.ts";
import type { OrderParts } from "./parts.ts";
import { payOrder } from "./pay.ts";
import { listOrders } from "./store.ts";
import { watchOrder } from "./watch.ts";
import { toOrder } from "./wire.ts";

export const orderRoutes = (parts: OrderParts) => (router: ConnectRouter) => {
  router.service(OrderService, {
    createOrder: (request, context) => createOrder(parts, request, context),
    getOrder: (request, context) => getOrder(parts, request, context),
    listOrders: (request, context) => listOrdersPage(parts, request, context),
    payOrder: (request, context) => payOrder(parts, request, context),
    cancelOrder: (request, context) => cancelOrder(parts, request, context),
    watchOrder: (request, context) => watchOrder(parts, request, context),
  });
};

async function getOrder(parts: OrderParts, request: GetOrderRequest, context: HandlerContext) {
  const scope = customerScope(principalOf(context));
  return await orderAndPayment(parts.db, await mustFindOrder(parts.db, request.orderId, scope));
}

async function listOrdersPage(
  parts: OrderParts,
  request: ListOrdersRequest,
  context: HandlerContext,
) {
  const filter = {
    scope: customerScope(principalOf(context)),
    statuses: request.statuses.map((status) => OrderStatus[status] as OrderState),
    from: request.createTimeFrom && timestampDate(request.createTimeFrom),
    before: request.createTimeBefore && timestampDate(request.createTimeBefore),
  };
  const words = `orders:${JSON.stringify({ ...filter, statuses: filter.statuses.toSorted() })}`;
  const size = pageSizeOf(request.pageSize);
  const before = readPageToken(request.pageToken, words, ID_KEY);
  const rows = await listOrders(parts.db, filter, { before, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.order.id, words);
  return { orders: page.map(toOrder), nextPageToken };
}

// CancelOrder: the payment is cancelled first; an order that was paid meanwhile is PAID.
import type { HandlerContext } from "@connectrpc/connect";
import type { CancelOrderRequest } from "../../gen/waybill/order/v1/order_service_pb.js";
import { customerScope } from "../platform/access/principal.ts";
import { Refusal } from "../platform/refusal.ts";
import { principalOf } from "../platform/rpc/principal.ts";
import { mustFindOrder, orderAndPayment } from "./answer.ts";
import { beginClosing, close } from "./close.ts";
import type { OrderParts } from "./parts.ts";

export async function cancelOrder(
  parts: OrderParts,
  request: CancelOrderRequest,
  context: HandlerContext,
) {
  const { orderId, expectedVersion } = request;
  const scope = customerScope(principalOf(context));
  const begun = await beginClosing(parts, orderId, { to: "CANCELLED", scope, expectedVersion });
  if (begun === undefined)
    throw new Refusal("not_found", `there is no order ${orderId}`, { field: "order_id" });
  await close(parts, begun, { timeoutMs: context.timeoutMs() });
  return await orderAndPayment(parts.db, await mustFindOrder(parts.db, orderId, scope));
}

// Money that came for an order that was CANCELLED or EXPIRED already goes back, by itself.
import { Code, ConnectError } from "@connectrpc/connect";
import { RefundReason } from "../../gen/waybill/payment/v1/refund_pb.js";
import { recordTimeline } from "../platform/timeline/store.ts";
import type { OrderParts } from "./parts.ts";
import { callOptions } from "./payment-call.ts";
import { saveDue, type OrderRow } from "./store.ts";

/** Of these a repetition would be answered the same. */
const DEFINITE = new Set([Code.FailedPrecondition, Code.InvalidArgument, Code.NotFound]);

/** Asks for the refund under an ID made of the payment's: however often it is asked for, it is one. */
export async function refundLateMoney(parts: OrderParts, order: OrderRow): Promise<void> {
  const { id, customerId, paymentId } = order;
  if (paymentId === null) throw new Error(`the late money of order ${id} has no payment`);
  try {
    await parts.payments.refundPayment(
      { paymentId, requestId: `late_${paymentId}`, reason: RefundReason.LATE_PAYMENT },
      callOptions({}),
    );
  } catch (error) {
    if (!DEFINITE.has(ConnectError.from(error).code)) throw error;
    parts.log.error({ orderId: id, paymentId, error }, "late money cannot be given back by itself");
    await recordTimeline(parts.db, {
      orderId: id,
      customerId,
      type: "order.late_money_kept",
      text: "The late money could not be given back by itself: an operator must look.",
      visibility: "OPERATOR",
      references: { payment_id: paymentId },
    });
  }
  await saveDue(parts.db, order, { lateMoney: false, dueTime: null });
}

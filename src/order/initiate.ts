// Asks the Payment service to take an order's money. When it cannot be asked now, the worker asks again: the order waits.
import { Code, ConnectError } from "@connectrpc/connect";
import type { OrderPayment } from "../../gen/waybill/order/v1/order_pb.js";
import { PaymentStatus, type Payment } from "../../gen/waybill/payment/v1/payment_pb.js";
import { Refusal, type RefusalCode } from "../platform/refusal.ts";
import { recordTimeline } from "../platform/timeline/store.ts";
import { applyNews, factsOf } from "./news.ts";
import { FIRST_VERSION, isFinal, type PaymentState } from "./order.ts";
import type { OrderParts, PaymentCall } from "./parts.ts";
import { callOptions, timeLeftMs } from "./payment-call.ts";
import { changeOrder, lockOrder, type OrderRow } from "./store.ts";
import { toOrderPayment } from "./wire.ts";

/** With these the Payment service says that there will be no such attempt: asking again would change nothing. */
const REFUSALS: ReadonlyMap<Code, { readonly code: RefusalCode; readonly declineCode: string }> =
  new Map([
    [
      Code.InvalidArgument,
      { code: "failed_precondition", declineCode: "amount_not_chargeable" } as const,
    ],
    [
      Code.FailedPrecondition,
      { code: "failed_precondition", declineCode: "attempt_not_possible" } as const,
    ],
    [
      Code.ResourceExhausted,
      { code: "resource_exhausted", declineCode: "too_many_attempts" } as const,
    ],
  ]);

/**
 * The payment as far as it got: one that could not be initiated now is PENDING_INITIATION. Throws a Refusal when the Payment
 * service will not make this attempt; the order is then what it was without it.
 */
export async function initiatePayment(
  parts: OrderParts,
  order: OrderRow,
  call: PaymentCall = {},
): Promise<OrderPayment> {
  const answer = toOrderPayment(order);
  if (timeLeftMs(call) <= 0) return answer;
  try {
    const { payment, clientSecret } = await parts.payments.initiatePayment(
      {
        orderId: order.id,
        attemptNumber: order.attemptNumber,
        customerId: order.customerId,
        amount: { currencyCode: order.currencyCode, minorUnits: order.totalMinorUnits },
        paymentMethod: order.paymentMethod,
      },
      callOptions(call),
    );
    if (payment === undefined) return answer;
    answer.id = payment.id;
    answer.status = payment.status;
    answer.declineCode = payment.declineCode;
    answer.clientSecret = clientSecret;
    return answer;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    const refusal = REFUSALS.get(code);
    const about = { orderId: order.id, attemptNumber: order.attemptNumber, error };
    if (refusal === undefined) {
      parts.log.warn(about, "the payment could not be initiated yet; the worker asks again");
      return answer;
    }
    parts.log.warn(about, "the Payment service refuses an attempt");
    await withdrawAttempt(parts, order, refusal.declineCode);
    throw new Refusal(refusal.code, `the order cannot be paid so: ${rawMessage}`, {
      reason: refusal.declineCode.toUpperCase(),
    });
  }
}

/**
 * The order is again what the Payment service says it is, without the attempt that there will not be. That a new order cannot be paid
 * so is news; that one which was refused is so still is none: whoever asks again and again is not mailed again and again.
 */
async function withdrawAttempt(
  parts: OrderParts,
  { id, attemptNumber }: OrderRow,
  declineCode: string,
): Promise<void> {
  const truth = await paymentOf(parts, id);
  await parts.inTransaction(async (tx) => {
    const order = await lockOrder(tx, id);
    if (order === undefined || order.attemptNumber !== attemptNumber) return;
    if (isFinal(factsOf(order).status)) return;
    await recordTimeline(tx, {
      orderId: id,
      customerId: order.customerId,
      type: "order.attempt_withdrawn",
      text: `Attempt ${attemptNumber} to pay was not made (${declineCode}).`,
      visibility: "PUBLIC",
    });
    const withdrawn = { attemptNumber: truth?.attemptNumber ?? 0, initiated: true, tries: 0 };
    if (truth === undefined) {
      const isTold = order.version > FIRST_VERSION;
      const refused = {
        paymentId: "",
        status: "FAILED",
        attemptNumber,
        declineCode,
        isTold,
      } as const;
      const { order: after } = await applyNews(tx, parts.outbox, order, refused);
      await changeOrder(tx, after, withdrawn);
      return;
    }
    const before = await changeOrder(tx, order, {
      ...withdrawn,
      ...(order.closing === null && { dueTime: order.expireTime }),
    });
    await applyNews(tx, parts.outbox, before, {
      paymentId: truth.id,
      attemptNumber: truth.attemptNumber,
      status: PaymentStatus[truth.status] as PaymentState,
      declineCode: truth.declineCode,
      isTold: truth.status === PaymentStatus.FAILED,
    });
  });
}

async function paymentOf(parts: OrderParts, orderId: string): Promise<Payment | undefined> {
  try {
    const { payment } = await parts.payments.checkPaymentStatus({ orderId }, callOptions({}));
    return payment;
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return undefined;
    throw error;
  }
}

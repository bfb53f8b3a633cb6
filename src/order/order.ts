// The state machine of orders: one table, and what the news of a payment does by it. Pure: no clock, no database.
import type { OrderStatus } from "../../gen/waybill/order/v1/order_pb.js";
import type { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";

export type OrderState = Exclude<keyof typeof OrderStatus, "UNSPECIFIED">;
export type PaymentState = Exclude<keyof typeof PaymentStatus, "UNSPECIFIED">;

/** The version of an order that nothing has happened to yet. */
export const FIRST_VERSION = 1n;

/** What can happen to an order. */
export type Happening =
  | "pay_again"
  | "payment_under_way"
  | "payment_refused"
  | "payment_succeeded"
  | "cancelled"
  | "expired";

const open = {
  pay_again: "PENDING",
  payment_under_way: "PENDING",
  payment_refused: "FAILED",
  payment_succeeded: "PAID",
  cancelled: "CANCELLED",
  expired: "EXPIRED",
} as const;

/** From each status, what leads where; what is not here changes nothing. The docs' picture is drawn from it. */
export const TRANSITIONS: Readonly<
  Record<OrderState, Readonly<Partial<Record<Happening, OrderState>>>>
> = {
  PENDING: open,
  FAILED: open,
  PAID: {},
  CANCELLED: {},
  EXPIRED: {},
};

/** Nothing leads out of it. Refunds and disputes are facets of a PAID order, no statuses. */
export const isFinal = (status: OrderState): boolean =>
  Object.keys(TRANSITIONS[status]).length === 0;

export interface PaymentNews {
  readonly status: PaymentState;
  readonly attemptNumber: number;
}

/** What somebody began to do to the order: its payment is being cancelled. */
export type Closing = "CANCELLED" | "EXPIRED";

export interface OrderFacts {
  readonly status: OrderState;
  readonly attemptNumber: number;
  readonly closing: Closing | undefined;
}

export type Decision =
  | { readonly change: true; readonly status: OrderState }
  | { readonly change: false; readonly reason: string; readonly moneyIsLate: boolean };

/** Of these there is one for a payment, whichever attempt it speaks of. */
const OF_ALL_ATTEMPTS = new Set<PaymentState>(["SUCCEEDED", "CANCELLED", "REVIEW"]);

/**
 * What a payment's news does to an order. What an older attempt says is ignored, unless it speaks for the whole payment:
 * money that came in is never overlooked. Money for an order that is CANCELLED or EXPIRED is late: it has to go back.
 */
export function onPaymentStatus(order: OrderFacts, news: PaymentNews): Decision {
  if (isFinal(order.status)) {
    const moneyIsLate = order.status !== "PAID" && news.status === "SUCCEEDED";
    return unchanged(`the order is ${order.status} already`, moneyIsLate);
  }
  if (news.attemptNumber < order.attemptNumber && !OF_ALL_ATTEMPTS.has(news.status)) {
    return unchanged(
      `it speaks of attempt ${news.attemptNumber}, and attempt ${order.attemptNumber} is under way`,
    );
  }
  const happening = happeningOf(news.status, order.closing);
  const status = happening === undefined ? order.status : TRANSITIONS[order.status][happening];
  return { change: true, status: status ?? order.status };
}

/** Undefined: the order stays as it is, an operator looks at the payment. */
function happeningOf(status: PaymentState, closing: Closing | undefined): Happening | undefined {
  switch (status) {
    case "SUCCEEDED":
      return "payment_succeeded";
    case "FAILED":
      return "payment_refused";
    case "CANCELLED":
      return closing === "EXPIRED" ? "expired" : "cancelled";
    case "REVIEW":
      return undefined;
    default:
      return "payment_under_way";
  }
}

const unchanged = (reason: string, moneyIsLate = false): Decision => ({
  change: false,
  reason,
  moneyIsLate,
});

/**
 * Why an order cannot be paid now; undefined when it can. `byAttempt`: by another attempt, with a method of its own; otherwise by
 * what the customer does in the browser, who may also go on with the authentication that the last attempt asked for.
 */
export function whyNotPayable(
  order: OrderFacts & { readonly paymentStatus: PaymentState },
  { byAttempt }: { readonly byAttempt: boolean },
): string | undefined {
  if (isFinal(order.status)) return `the order is ${order.status}`;
  if (order.closing !== undefined) return "the order is being cancelled";
  if (order.paymentStatus === "FAILED" || order.paymentStatus === "REQUIRES_PAYMENT_METHOD")
    return undefined;
  if (order.paymentStatus === "REQUIRES_ACTION" && !byAttempt) return undefined;
  return `attempt ${order.attemptNumber} is ${order.paymentStatus}; the next one waits until it is settled`;
}

/** Why an order cannot be cancelled now; undefined when it can. */
export function whyNotCancellable(order: OrderFacts): string | undefined {
  return isFinal(order.status) ? `the order is ${order.status}` : undefined;
}

/** What a worker has to do for an order whose time has come. */
export type DueWork = "refund_late_money" | "close" | "initiate" | "expire" | "nothing";

export function dueWork(
  order: OrderFacts & {
    readonly lateMoney: boolean;
    readonly initiated: boolean;
    readonly isExpired: boolean;
  },
): DueWork {
  if (order.lateMoney) return "refund_late_money";
  if (isFinal(order.status)) return "nothing";
  if (order.closing !== undefined) return "close";
  // Before "initiate": when the Payment service was away for so long, nobody is charged for what they wanted yesterday.
  if (order.isExpired) return "expire";
  return order.initiated ? "nothing" : "initiate";
}

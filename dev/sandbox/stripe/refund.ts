// The life of a refund: pure steps, each with what it does to the charge. https://docs.stripe.com/refunds
import type { Change, Charge, Metadata, Refund, RefundStatus } from "./records.ts";

export interface RefundRequest {
  readonly id: string;
  readonly amount: number;
  readonly reason: string | null;
  readonly metadata: Metadata;
  /** Where it begins; absent: as the payment method has it. */
  readonly status?: RefundStatus;
}

/** What may become of a refund after it was made, and from where. */
const moves = {
  succeed: { from: ["pending", "requires_action"], to: "succeeded" },
  fail: { from: ["pending", "requires_action", "succeeded"], to: "failed" },
  cancel: { from: ["pending", "requires_action"], to: "canceled" },
} as const satisfies Record<string, { from: readonly RefundStatus[]; to: RefundStatus }>;
export type RefundMove = keyof typeof moves;
export const refundMoves = Object.keys(moves) as RefundMove[];
/** Where a refund can begin. */
export const refundStatuses = ["pending", "requires_action", "succeeded"] as const;

/** What of the charge can still be given back. */
export const refundableOf = (charge: Charge): number =>
  capturedOf(charge) - (charge.amountRefunded ?? 0);

/** What was taken with the charge. */
export const capturedOf = (charge: Charge): number =>
  charge.decline === undefined ? (charge.captured ?? charge.amount) : 0;

export function makeRefund(charge: Charge, request: RefundRequest, now: number): Change {
  const fate = charge.method.refunds;
  const refund: Refund = {
    id: request.id,
    chargeId: charge.id,
    paymentId: charge.paymentId,
    amount: request.amount,
    currency: charge.currency,
    status: request.status ?? (fate === "succeed_later" ? "pending" : "succeeded"),
    reason: request.reason,
    failureReason: null,
    metadata: request.metadata,
    created: now,
  };
  const refunded = withRefunded(charge, request.amount);
  const change: Change = {
    charge: refunded,
    refund,
    happenings: [
      { type: "refund.created", refund },
      { type: "charge.refunded", charge: refunded },
    ],
  };
  if (fate === undefined || request.status !== undefined) return change;
  const act = fate === "succeed_later" ? "complete_refund" : "fail_refund";
  return { ...change, due: { act, objectId: refund.id } };
}

export const canMove = (refund: Refund, move: RefundMove): boolean =>
  moves[move].from.some((status) => status === refund.status);

/** The bank, or somebody at Stripe's dashboard, has moved it on. A refund that failed or was cancelled leaves the money with us. */
export function moveRefund(
  before: { refund: Refund; charge: Charge },
  move: RefundMove,
  failureReason = "unknown",
): Change {
  const status = moves[move].to;
  const failed = status === "failed";
  const refund = { ...before.refund, status, failureReason: failed ? failureReason : null };
  const happenings = [
    { type: "refund.updated", refund } as const,
    ...(failed ? [{ type: "refund.failed", refund } as const] : []),
  ];
  if (move === "succeed") return { refund, happenings };
  return { refund, charge: withRefunded(before.charge, -refund.amount), happenings };
}

const withRefunded = (charge: Charge, amount: number): Charge => ({
  ...charge,
  amountRefunded: (charge.amountRefunded ?? 0) + amount,
});

// The life of a dispute: pure steps, each with what it does to the charge. https://docs.stripe.com/disputes/how-disputes-work
import type { Change, Charge, Dispute, DisputeStatus } from "./records.ts";

export interface DisputeRequest {
  readonly id: string;
  readonly amount: number;
  readonly reason: string;
  /** True for an inquiry: the bank asks, and takes no money yet (`warning_…`). */
  readonly inquiry: boolean;
}

const open = ["needs_response", "under_review"] as const;
const inquiring = ["warning_needs_response", "warning_under_review"] as const;

/** What may become of a dispute, and from where. */
const moves = {
  review: { from: ["needs_response", "warning_needs_response"] },
  win: { from: open },
  lose: { from: open },
  escalate: { from: inquiring },
  close_inquiry: { from: inquiring },
} as const satisfies Record<string, { from: readonly DisputeStatus[] }>;
export type DisputeMove = keyof typeof moves;
export const disputeMoves = Object.keys(moves) as DisputeMove[];

/** Whether the bank holds the money of the charge because of it. */
export const holdsMoney = (dispute: Dispute): boolean =>
  dispute.withdrawnAt !== null && dispute.reinstatedAt === null;

export function openDispute(charge: Charge, request: DisputeRequest, now: number): Change {
  const { inquiry, ...rest } = request;
  const dispute: Dispute = {
    ...rest,
    chargeId: charge.id,
    paymentId: charge.paymentId,
    currency: charge.currency,
    status: inquiry ? "warning_needs_response" : "needs_response",
    withdrawnAt: inquiry ? null : now,
    reinstatedAt: null,
    evidence: {},
    submissions: 0,
    metadata: {},
    created: now,
  };
  return {
    charge: { ...charge, disputed: true },
    dispute,
    happenings: [
      { type: "charge.dispute.created", dispute },
      ...(inquiry ? [] : [{ type: "charge.dispute.funds_withdrawn", dispute } as const]),
    ],
  };
}

export const canMove = (dispute: Dispute, move: DisputeMove): boolean =>
  moves[move].from.some((status) => status === dispute.status);

export function moveDispute(before: Dispute, move: DisputeMove, now: number): Change {
  switch (move) {
    case "review": {
      const inquiry = before.status === "warning_needs_response";
      const status = inquiry ? "warning_under_review" : "under_review";
      const dispute = { ...before, status, submissions: before.submissions + 1 } as const;
      return { dispute, happenings: [{ type: "charge.dispute.updated", dispute }] };
    }
    case "win": {
      const dispute = { ...before, status: "won", reinstatedAt: now } as const;
      return {
        dispute,
        happenings: [
          { type: "charge.dispute.closed", dispute },
          { type: "charge.dispute.funds_reinstated", dispute },
        ],
      };
    }
    case "escalate": {
      const dispute = { ...before, status: "needs_response", withdrawnAt: now } as const;
      return {
        dispute,
        happenings: [
          { type: "charge.dispute.updated", dispute },
          { type: "charge.dispute.funds_withdrawn", dispute },
        ],
      };
    }
    case "lose":
    case "close_inquiry": {
      const status = move === "lose" ? "lost" : "warning_closed";
      const dispute = { ...before, status } as const;
      return { dispute, happenings: [{ type: "charge.dispute.closed", dispute }] };
    }
    default:
      return move satisfies never;
  }
}

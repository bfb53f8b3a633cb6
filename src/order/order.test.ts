import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  dueWork,
  isFinal,
  onPaymentStatus,
  TRANSITIONS,
  whyNotPayable,
  type Closing,
  type OrderState,
  type PaymentState,
} from "./order.ts";

const STATES = ["PENDING", "PAID", "FAILED", "CANCELLED", "EXPIRED"] as const;

describe("an order's status", () => {
  it("PAID, CANCELLED and EXPIRED are final, and nothing else is", () =>
    expect(STATES.filter(isFinal)).toEqual(["PAID", "CANCELLED", "EXPIRED"]));
  it("each is reached from PENDING, which is where an order begins", () =>
    expect(new Set(Object.values(TRANSITIONS.PENDING))).toEqual(new Set(STATES)));
  it("is pictured in docs/orders.md as the table has it", () => {
    const docs = readFileSync(new URL("../../docs/orders.md", import.meta.url), "utf8");
    const pictured = [...docs.matchAll(/^ {2}(\w+) --> (\w+): (.+)$/gm)].flatMap(
      ([, from, to, happenings]) =>
        (happenings ?? "").split(", ").map((happening) => `${from} ${happening} ${to}`),
    );
    const table = STATES.flatMap((from) =>
      Object.entries(TRANSITIONS[from]).map(([happening, to]) => `${from} ${happening} ${to}`),
    );
    expect(pictured.toSorted()).toEqual(table.toSorted());
  });
});

const news = (
  order: { status: OrderState; attempt?: number; closing?: Closing },
  payment: { status: PaymentState; attempt?: number },
) =>
  onPaymentStatus(
    { status: order.status, attemptNumber: order.attempt ?? 1, closing: order.closing },
    { status: payment.status, attemptNumber: payment.attempt ?? 1 },
  );

describe("a payment's news", () => {
  it.each<[OrderState, PaymentState, OrderState]>([
    ["PENDING", "SUCCEEDED", "PAID"],
    ["PENDING", "FAILED", "FAILED"],
    ["PENDING", "REQUIRES_ACTION", "PENDING"],
    ["PENDING", "CANCELLED", "CANCELLED"],
    ["PENDING", "REVIEW", "PENDING"],
    ["FAILED", "SUCCEEDED", "PAID"],
    ["FAILED", "PROCESSING", "PENDING"],
    ["FAILED", "REVIEW", "FAILED"],
  ])("makes an order that is %s, when it says %s, %s", (status, payment, after) =>
    expect(news({ status }, { status: payment })).toEqual({ change: true, status: after }),
  );

  it("expires an order whose payment was cancelled because nobody paid", () =>
    expect(news({ status: "PENDING", closing: "EXPIRED" }, { status: "CANCELLED" })).toEqual({
      change: true,
      status: "EXPIRED",
    }));
  it("of an older attempt is ignored", () =>
    expect(news({ status: "PENDING", attempt: 2 }, { status: "FAILED" }).change).toBe(false));
  it.each<PaymentState>(["SUCCEEDED", "CANCELLED"])(
    "of an older attempt counts when it speaks for all of them: %s",
    (status) => expect(news({ status: "PENDING", attempt: 2 }, { status }).change).toBe(true),
  );

  it.each<OrderState>(["PAID", "CANCELLED", "EXPIRED"])(
    "changes nothing of an order that is %s",
    (status) => {
      for (const payment of ["FAILED", "SUCCEEDED", "CANCELLED"] as const)
        expect(news({ status }, { status: payment }).change).toBe(false);
    },
  );
  it.each<[OrderState, boolean]>([
    ["PAID", false],
    ["CANCELLED", true],
    ["EXPIRED", true],
  ])("of money for an order that is %s: it is late: %s", (status, moneyIsLate) =>
    expect(news({ status }, { status: "SUCCEEDED" })).toMatchObject({ moneyIsLate }),
  );
});

describe("an order may be paid again", () => {
  const why = (status: OrderState, paymentStatus: PaymentState, closing?: Closing) =>
    whyNotPayable({ status, paymentStatus, attemptNumber: 1, closing }, { byAttempt: true });

  it("when the last attempt was refused, or waits for a method", () => {
    expect(why("FAILED", "FAILED")).toBeUndefined();
    expect(why("PENDING", "REQUIRES_PAYMENT_METHOD")).toBeUndefined();
  });
  it.each<PaymentState>([
    "PENDING_INITIATION",
    "UNKNOWN",
    "REQUIRES_ACTION",
    "PROCESSING",
    "AUTHORIZED",
    "REVIEW",
  ])("but not while the last attempt is %s", (payment) =>
    expect(why("PENDING", payment)).toContain(payment),
  );
  it("in the browser also while the last attempt waits for the customer to authenticate", () => {
    const order = { status: "PENDING", attemptNumber: 1, closing: undefined } as const;
    const inBrowser = (paymentStatus: PaymentState) =>
      whyNotPayable({ ...order, paymentStatus }, { byAttempt: false });
    expect(inBrowser("REQUIRES_ACTION")).toBeUndefined();
    expect(inBrowser("UNKNOWN")).toContain("UNKNOWN");
  });
  it("but not when it is final, or being cancelled", () => {
    expect(why("PAID", "SUCCEEDED")).toContain("PAID");
    expect(why("FAILED", "FAILED", "CANCELLED")).toContain("cancelled");
  });
});

describe("the work that is due", () => {
  const order = {
    status: "PENDING" as OrderState,
    attemptNumber: 1,
    closing: undefined as Closing | undefined,
    lateMoney: false,
    initiated: true,
    isExpired: false,
  };
  it.each([
    ["refund_late_money", { status: "EXPIRED" as const, lateMoney: true }],
    ["close", { closing: "CANCELLED" as const, initiated: false }],
    ["initiate", { initiated: false }],
    ["expire", { isExpired: true }],
    ["expire", { isExpired: true, initiated: false }],
    ["nothing", {}],
    ["nothing", { status: "PAID" as const, isExpired: true }],
  ])("is %s", (work, facts) => expect(dueWork({ ...order, ...facts })).toBe(work));
});

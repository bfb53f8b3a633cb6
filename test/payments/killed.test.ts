// Payment is killed between Stripe's doing and its own record of it: money still moves once, there and back.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { serviceServes } from "../../dev/stack/health.ts";
import { PaymentStatus } from "../../gen/waybill/payment/v1/payment_pb.js";
import { RefundReason, RefundStatus } from "../../gen/waybill/payment/v1/refund_pb.js";
import { eventually } from "../harness/eventually.ts";
import { openPaymentRoom, type PaymentRoom } from "../harness/payment-room.ts";
import {
  anAttempt,
  paymentOf,
  checkPayment,
  paymentBecomes,
  faultOf,
  ledgerOf,
} from "../harness/payments.ts";

const PAYMENTS = 20;
const REFUNDS = 5;
/** Longer than it takes to look and to kill. */
const LATE_MS = 5000;
const SETTLED_WITHIN_MS = 30_000;
const START_WITHIN_MS = 40_000;
const MAIN = fileURLToPath(new URL("../../src/payment/main.ts", import.meta.url));

/** The service as a process of its own, in place of the one in this process. */
async function asProcess(room: PaymentRoom): Promise<ChildProcess & AsyncDisposable> {
  await room.stop();
  const child = spawn(process.execPath, [MAIN], {
    env: room.settings,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exit = once(child, "exit");
  await using parts = new AsyncDisposableStack();
  parts.defer(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  await eventually(async () => expect(await serviceServes(room.url)).toBe(true), {
    withinMs: START_WITHIN_MS,
  });
  const running = parts.move();
  return Object.assign(child, { [Symbol.asyncDispose]: () => running.disposeAsync() });
}

/** Nobody tells the service: neither the answer, nor a webhook. */
async function loseAnswers(room: PaymentRoom, orderId: string, operation: string): Promise<void> {
  await faultOf(room, orderId, { fault: "webhook_drop", count: 100 });
  const late = { operation, fault: "execute_then_wait", latencyMs: LATE_MS, count: 3 };
  await faultOf(room, orderId, late);
}

test("killed between the call and the record: each payment is charged once and each refund made once, within 30 s", async () => {
  const patience = { STRIPE_TIMEOUT_MS: "8000", STRIPE_LEASE_MS: "1500" };
  await using room = await openPaymentRoom(inject("servers"), patience);
  const orders = Array.from({ length: PAYMENTS }, () => anAttempt());
  const paidBefore = Array.from({ length: REFUNDS }, () => anAttempt());
  const toRefund = await Promise.all(
    paidBefore.map(async (order) => paymentOf(await room.asOrder.initiatePayment(order))),
  );
  for (const { orderId } of orders) await loseAnswers(room, orderId, "payment_intents.create");
  for (const { orderId } of paidBefore) await loseAnswers(room, orderId, "refunds.create");

  const all = orders.map(({ orderId }) => orderId);
  const back = paidBefore.map(({ orderId }) => orderId);
  {
    await using service = await asProcess(room);
    const calls = [
      ...orders.map((order) => room.asOrder.initiatePayment(order)),
      ...toRefund.map(({ id: paymentId }) =>
        room.asOperator.refundPayment({
          paymentId,
          requestId: randomUUID(),
          reason: RefundReason.REQUESTED_BY_CUSTOMER,
        }),
      ),
    ];
    const ended = Promise.allSettled(calls);
    await eventually(async () => {
      for (const orderId of all)
        expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1 }]);
      for (const orderId of back) expect(await ledgerOf(room, orderId)).toMatchObject([{ net: 0 }]);
    });
    service.kill("SIGKILL");
    expect((await ended).filter(({ status }) => status === "fulfilled")).toEqual([]);
  }
  for (const orderId of all) {
    const [row] = await room.query<{ status: string }>(
      "select status from payments where order_id = $1",
      [orderId],
    );
    expect(row).toEqual({ status: "PENDING_INITIATION" });
  }
  const killed = performance.now();

  await room.start();

  for (const orderId of all) {
    await paymentBecomes(room, orderId, "SUCCEEDED");
    expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1 }]);
  }
  for (const orderId of back) {
    await eventually(async () =>
      expect(await checkPayment(room, orderId)).toMatchObject({
        status: PaymentStatus.SUCCEEDED,
        refunds: [{ status: RefundStatus.SUCCEEDED }],
      }),
    );
    expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1, net: 0 }]);
  }
  expect(performance.now() - killed).toBeLessThan(SETTLED_WITHIN_MS);
});

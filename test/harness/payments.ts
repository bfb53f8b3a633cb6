// What tests do with a Payment service alone: ask for payments, order faults, look at Stripe's side and at ours.
import { randomBytes, randomUUID } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import { Stripe } from "stripe";
import { expect } from "vitest";
import { PaymentStatus, type Payment } from "../../gen/waybill/payment/v1/payment_pb.js";
import {
  PaymentStatusEventSchema,
  type PaymentStatusEvent,
} from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { onBehalfOfKey } from "../../src/platform/rpc/client.ts";
import { eventually } from "./eventually.ts";
import { ask } from "./http.ts";
import type { LogLine, PaymentRoom } from "./payment-room.ts";

/** What an order asks for: one that no other test knows. */
export const anAttempt = (fields: Readonly<Record<string, unknown>> = {}) => ({
  orderId: randomUUID(),
  customerId: `customer-${randomBytes(6).toString("hex")}`,
  attemptNumber: 1,
  amount: { currencyCode: "EUR", minorUnits: 1999n },
  paymentMethod: "pm_card_visa",
  ...fields,
});

/** In the name of the customer, who then gets the secret. */
export const onBehalfOf = (customerId: string) => ({
  contextValues: createContextValues().set(onBehalfOfKey, customerId),
});

/** @throws where the answer has none */
export function paymentOf({ payment }: { readonly payment?: Payment | undefined }): Payment {
  if (payment === undefined) throw new Error("the answer has no payment");
  return payment;
}

export const checkPayment = async (room: PaymentRoom, orderId: string): Promise<Payment> =>
  paymentOf(await room.asOperator.checkPaymentStatus({ orderId }));

/** Waits until the order's payment has the status. */
export const paymentBecomes = (
  room: PaymentRoom,
  orderId: string,
  status: keyof typeof PaymentStatus,
): Promise<Payment> =>
  eventually(async () => {
    const payment = await checkPayment(room, orderId);
    if (PaymentStatus[payment.status] !== status)
      throw new Error(`the payment is ${PaymentStatus[payment.status]}, not ${status}`);
    return payment;
  });

/** Asks the sandbox itself; see dev/sandbox/README.md. @throws unless it does it */
export async function atSandbox<T>(room: PaymentRoom, path: string, body?: unknown): Promise<T> {
  const answer = await ask(`${room.sandboxUrl}/_/${path}`, { body });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json as T;
}

/** A fault of the sandbox's Stripe that strikes only what belongs to the order. */
export const faultOf = (
  room: PaymentRoom,
  orderId: string,
  fault: Readonly<Record<string, unknown>>,
): Promise<unknown> =>
  atSandbox(room, "faults", { provider: "stripe", metadata: { order_id: orderId }, ...fault });

export interface LedgerEntry {
  readonly id: string;
  readonly status: string;
  readonly charges: number;
  readonly charged: number;
  readonly refunded: number;
  readonly net: number;
  readonly refunds: readonly { readonly id: string; readonly status: string }[];
  readonly disputes: readonly { readonly id: string; readonly status: string }[];
}

/** What the sandbox's Stripe has of the order. */
export async function ledgerOf(
  room: PaymentRoom,
  orderId: string,
): Promise<readonly LedgerEntry[]> {
  const path = `payments?order_id=${orderId}`;
  return (await atSandbox<{ payments: LedgerEntry[] }>(room, path)).payments;
}

/** The Stripe events of a PaymentIntent, and what became of them in the inbox. */
export const inboxOf = (room: PaymentRoom, paymentIntentId: string) =>
  room.query<{ id: string; type: string; status: string; reason: string }>(
    "select id, type, status, reason from stripe_events where payment_intent_id = $1",
    [paymentIntentId],
  );

/** What was published of the order's payment on payment-status-updates, in order. */
export async function publishedOf(
  room: PaymentRoom,
  orderId: string,
): Promise<readonly PaymentStatusEvent["event"][]> {
  const rows = await room.query<{ payload: Uint8Array }>(
    "select payload from published where aggregate_id = $1 and topic like '%status%' order by seq",
    [orderId],
  );
  return rows.map(({ payload }) => fromBinary(PaymentStatusEventSchema, payload).event);
}

/** The alarms: what operators are told. */
export const alarmsOf = (room: PaymentRoom, paymentId: string): readonly LogLine[] =>
  room.lines.filter((line) => line.level === "error" && line["paymentId"] === paymentId);

/** No webhook of the order is delivered: the service must find out by itself. */
export const withoutWebhooks = (room: PaymentRoom, orderId: string): Promise<unknown> =>
  faultOf(room, orderId, { fault: "webhook_hold", count: 1000 });

/** The attempts of a payment as they are stored, in their order. */
export const attemptsOf = (room: PaymentRoom, paymentId: string) =>
  room.query<{ status: string; key: string; due: Date | null; method: string }>(
    `select status, idempotency_key as key, due_time as due, params->'params'->>'payment_method' as method
     from payment_attempts where payment_id = $1 order by attempt_number`,
    [paymentId],
  );

export const isChargedOnce = async (room: PaymentRoom, orderId: string): Promise<void> =>
  expect(await ledgerOf(room, orderId)).toMatchObject([{ charges: 1, status: "succeeded" }]);

/** The statuses of the order's payment that were published, in their order. */
export const statusesOf = async (room: PaymentRoom, orderId: string): Promise<readonly string[]> =>
  (await publishedOf(room, orderId)).flatMap(({ case: name, value }) =>
    name === "paymentStatusUpdated" ? [PaymentStatus[value.status]] : [],
  );

/** Somebody with the account's key, who is not Waybill. */
export function atDashboard(room: PaymentRoom): Stripe {
  const { hostname, port } = new URL(room.sandboxUrl);
  return new Stripe("sk_test_x", { host: hostname, port, protocol: "http", telemetry: false });
}

/** The Stripe events of a PaymentIntent, the oldest first. */
export async function eventsOf(
  room: PaymentRoom,
  paymentIntentId: string,
): Promise<readonly { readonly id: string; readonly type: string }[]> {
  const { webhooks } = await atSandbox<{
    webhooks: { id: string; type: string; payment: string }[];
  }>(room, "webhooks");
  return webhooks.filter(({ payment }) => payment === paymentIntentId);
}

/** Delivers these events now, in this order. */
export const sendWebhooks = (room: PaymentRoom, events: readonly string[]): Promise<unknown> =>
  atSandbox(room, "webhooks/send", { events });

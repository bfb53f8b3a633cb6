// The transaction of a new order, as the Order service writes it, with values of usual lengths.
import type { Transaction } from "../../src/platform/database/open.ts";
import { newId } from "../../src/platform/id.ts";
import { saveOrder } from "../../src/order/store.ts";

/** Stores the order with its two lines and its request. Returns its ID. */
export async function saveNewOrder(tx: Transaction, id = newId()): Promise<string> {
  const now = new Date();
  const request = {
    customerId: "bench-42",
    requestId: id,
    requestHash: "h".repeat(43),
    orderId: id,
    createTime: now,
  };
  const order = {
    id,
    number: `WB-${id}`,
    customerId: "bench-42",
    status: "PENDING",
    currencyCode: "EUR",
    totalMinorUnits: 6799n,
    email: "bench-42@example.com",
    phoneNumber: "",
    locale: "de-AT",
    paymentMethod: "pm_card_visa",
    paymentId: null,
    paymentStatus: "PENDING_INITIATION",
    attemptNumber: 1,
    declineCode: "",
    initiated: false,
    closing: null,
    lateMoney: false,
    refundedMinorUnits: 0n,
    disputed: false,
    expireTime: new Date(now.getTime() + 86_400_000),
    dueTime: new Date(now.getTime() + 5_000),
    tries: 0,
    traceparent: null,
    version: 1n,
    createTime: now,
    updateTime: now,
  };
  const item = (position: number, sku: string, quantity: number, unit: bigint) => ({
    orderId: id,
    position,
    sku,
    name: `Name of ${sku}`,
    quantity,
    unitPriceMinorUnits: unit,
    subtotalMinorUnits: unit * BigInt(quantity),
  });
  const items = [item(0, "coffee-beans-1kg", 1, 1899n), item(1, "espresso-cups", 2, 2450n)];
  await saveOrder(tx, request, { order, items });
  return id;
}

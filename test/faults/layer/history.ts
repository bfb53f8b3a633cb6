// The business of the proof: transactions that write down what happened and publish it, for many keys at once.
import { setTimeout as pause } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import { OrderEventSchema } from "../../../gen/waybill/order/v1/order_event_pb.js";
import type { Outbox } from "../../../src/platform/events/outbox.ts";
import type { Transaction } from "../../../src/platform/database/open.ts";

export interface Writing {
  readonly keys: readonly string[];
  /** So many events in all, in the whole world: a writer that comes back does the rest. */
  readonly total: number;
  /** Events a second, of this writer. */
  readonly perSecond: number;
  /** Transactions at the same time. */
  readonly writers: number;
  /** The chance that a transaction changes its mind after it has published. */
  readonly rollBack: number;
  /** Milliseconds, at most, between publishing and committing. */
  readonly delayMs: number;
}

export interface WritingParts {
  readonly inTransaction: (work: (tx: Transaction) => Promise<void>) => Promise<void>;
  readonly outbox: Outbox;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

class ChangedMind extends Error {}

/** Writes until the total is reached or the signal aborts. */
export async function writeHistory(parts: WritingParts, o: Writing): Promise<void> {
  let written = 0;
  const began = performance.now();
  const writer = async (): Promise<void> => {
    while (written < o.total && !parts.signal.aborted) {
      written += 1;
      const dueMs = (written * 1000) / o.perSecond;
      await pause(Math.max(0, began + dueMs - performance.now()));
      const kept = await writeOne(parts, o);
      if (!kept) written -= 1;
    }
  };
  await Promise.all(Array.from({ length: o.writers }, writer));
}

/** False: it was rolled back, and neither it nor its event ever was. */
async function writeOne(
  { inTransaction, outbox, random }: WritingParts,
  o: Writing,
): Promise<boolean> {
  const key = o.keys[Math.floor(random() * o.keys.length)] ?? "";
  const nonce = v7();
  try {
    await inTransaction(async (tx) => {
      await outbox.publish(tx, OrderEventSchema, {
        orderId: key,
        customerId: "faults",
        event: { case: "orderPaid", value: { paymentId: nonce } },
      });
      // After the event: by now the transaction has the key for itself, so these rows are numbered in its order.
      await tx.execute(sql`INSERT INTO happened (key, nonce) VALUES (${key}, ${nonce})`);
      // Most commit soon, some late: then the events of others overtake theirs.
      await pause(random() ** 4 * o.delayMs);
      if (random() < o.rollBack) throw new ChangedMind();
    });
    return true;
  } catch (error) {
    if (error instanceof ChangedMind) return false;
    throw error;
  }
}

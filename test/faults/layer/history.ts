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
  /** One of so many events is poison, of each kind in turn. */
  readonly poisonEvery?: number;
  /** Milliseconds, at most, between publishing and committing. */
  readonly delayMs: number;
}

export interface WritingParts {
  readonly inTransaction: (work: (tx: Transaction) => Promise<void>) => Promise<void>;
  readonly outbox: Outbox;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Bytes that are no message, a message that breaks the contract, and two that meet bugs of the handler. */
export const POISONS = ["bytes", "invalid", "typeerror", "abort"] as const;
export type Poison = (typeof POISONS)[number];

/**
 * What comes behind a message: a field that is cut off, and a second value for its order_id, of which the last one counts.
 */
const SPOILT: Readonly<Partial<Record<Poison, Uint8Array>>> = {
  bytes: Buffer.from([0x0a, 0x7f]),
  invalid: Buffer.from([0x0a, 0x03, ...Buffer.from("bad")]),
};

class ChangedMind extends Error {}

/** Writes until the total is reached or the signal aborts. */
export async function writeHistory(parts: WritingParts, o: Writing): Promise<void> {
  let written = 0;
  const began = performance.now();
  const writer = async (): Promise<void> => {
    while (written < o.total && !parts.signal.aborted) {
      written += 1;
      const place = written;
      const dueMs = (place * 1000) / o.perSecond;
      await pause(Math.max(0, began + dueMs - performance.now()));
      const kept = await writeOne(parts, o, place);
      if (!kept) written -= 1;
    }
  };
  await Promise.all(Array.from({ length: o.writers }, writer));
}

/** Undefined: it is none. Each has a key that the ones before it do not have, as long as there are keys. */
function poisonAt(
  place: number,
  { poisonEvery, keys }: Writing,
): { readonly kind: Poison; readonly key: string } | undefined {
  if (poisonEvery === undefined || place % poisonEvery !== 0) return undefined;
  const turn = place / poisonEvery;
  const kind = POISONS[turn % POISONS.length];
  const key = keys[turn % keys.length];
  return kind === undefined || key === undefined ? undefined : { kind, key };
}

/** False: it was rolled back, and neither it nor its event ever was. */
async function writeOne(parts: WritingParts, o: Writing, place: number): Promise<boolean> {
  const { inTransaction, outbox, random } = parts;
  const poison = poisonAt(place, o);
  const key = poison?.key ?? o.keys[Math.floor(random() * o.keys.length)] ?? "";
  const id = v7();
  const nonce = poison === undefined ? id : `${poison.kind}:${id}`;
  try {
    await inTransaction(async (tx) => {
      await outbox.publish(tx, OrderEventSchema, {
        orderId: key,
        customerId: "faults",
        event: { case: "orderPaid", value: { paymentId: nonce } },
      });
      if (poison !== undefined) await spoil(tx, key, poison.kind);
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

/** What no outbox would take, put into its row: it is the last one of its key. */
async function spoil(tx: Transaction, key: string, poison: Poison): Promise<void> {
  const payload = SPOILT[poison];
  if (payload === undefined) return;
  await tx.execute(sql`
    UPDATE outbox SET payload = payload || ${payload}::bytea
    WHERE id = (SELECT max(id) FROM outbox WHERE aggregate_id = ${key})`);
}

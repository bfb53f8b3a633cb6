// From the POST of an order until a reader sees it PAID, at a steady rate that does not wait for the answers.
import { setTimeout as pause } from "node:timers/promises";
import type { Arena } from "./arena.ts";
import type { OrderRequest } from "./orders-sent.ts";
import { type Latency, latencyOf } from "./percentiles.ts";

export const ORDERS_PER_SECOND = 20;
/** How often the database is asked who is PAID: so much the figure may be too high, never too low. */
const LOOK_EVERY_MS = 3;
const PAID_WITHIN_MS = 30_000;

export interface PaidResult {
  readonly perSecond: number;
  readonly sent: number;
  /** From the moment at which the order was due to be sent until its answer was read. */
  readonly answered: Latency;
  /** From the same moment until it was seen PAID. */
  readonly paid: Latency;
  /** Not accepted, or not PAID within 30 s. */
  readonly lost: number;
}

export async function measurePaid(arena: Arena, seconds: number): Promise<PaidResult> {
  const waiting = new Map<string, number>();
  const answered: number[] = [];
  const paid: number[] = [];
  const sending = new AbortController();
  const looking = look(arena, waiting, paid, sending.signal);

  const sent = seconds * ORDERS_PER_SECOND;
  const began = performance.now();
  const orders = Array.from({ length: sent }, async (_, number) => {
    const due = began + (number * 1000) / ORDERS_PER_SECOND;
    await pause(Math.max(1, due - performance.now()));
    const id = await send(arena, arena.requests[number % arena.requests.length]);
    if (id === undefined) return;
    answered.push(performance.now() - due);
    waiting.set(id, due);
  });
  await Promise.all(orders);
  sending.abort();
  await looking;
  return {
    perSecond: ORDERS_PER_SECOND,
    sent,
    answered: latencyOf(answered),
    paid: latencyOf(paid),
    lost: sent - paid.length,
  };
}

/** The order's ID, or undefined where it was not accepted. */
async function send(arena: Arena, request: OrderRequest | undefined): Promise<string | undefined> {
  if (request === undefined) return undefined;
  const { method, path, headers, body } = request;
  const answer = await fetch(arena.gateway + path, { method, headers, body });
  const { order } = (await answer.json()) as { order?: { id?: string } };
  return answer.ok ? order?.id : undefined;
}

/** Asks for the waiting orders until the last one sent is PAID, or is given up. */
async function look(
  arena: Arena,
  waiting: Map<string, number>,
  paid: number[],
  allSent: AbortSignal,
): Promise<void> {
  while (!allSent.aborted || waiting.size > 0) {
    const ids = waiting.size === 0 ? [] : await arena.watch.paidOf([...waiting.keys()]);
    const now = performance.now();
    for (const id of ids) paid.push(now - (waiting.get(id) ?? now));
    for (const id of ids) waiting.delete(id);
    for (const [id, due] of waiting) if (now - due > PAID_WITHIN_MS) waiting.delete(id);
    await pause(LOOK_EVERY_MS);
  }
}

// Customers who order at a steady rate and, when they get no answer, try again under the same key, as shops do.
import { setTimeout as pause } from "node:timers/promises";
import { CreateOrderResponseSchema } from "../../gen/waybill/order/v1/order_service_pb.js";
import { messageOf } from "../harness/http.ts";
import { newCustomer, type Person } from "../harness/people.ts";
import type { Place } from "../harness/place.ts";
import { postOrder } from "../harness/shop.ts";
import type { AcceptedOrder } from "./facts.ts";
import type { Random } from "./random.ts";

const CUSTOMERS = 25;
const TOKEN_LIFETIME_S = 4 * 3600;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 1_000;
/** Then the customer gives up: the order counts as refused. */
const PATIENCE_MS = 90_000;
const SKUS = ["coffee-beans-1kg", "espresso-cups", "grinder"] as const;
const MOST_ITEMS = 3;

export interface LoadResult {
  readonly accepted: readonly AcceptedOrder[];
  /** By what the customer was told at last. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface Load {
  /** When orders were accepted, in milliseconds of the monotonic clock, in that order. */
  readonly acceptedTimes: readonly number[];
  /** No new orders; resolves when every customer has an answer or has given up. */
  stop(): Promise<LoadResult>;
}

/** Starts so many orders a second, whatever becomes of those before: a slow answer does not slow the customers down. */
export async function startLoad(
  place: Place,
  o: { readonly rate: number; readonly random: Random },
): Promise<Load> {
  const expiry = Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S;
  const people = await Promise.all(
    Array.from({ length: CUSTOMERS }, () => newCustomer(place, { exp: expiry })),
  );
  const accepted: AcceptedOrder[] = [];
  const acceptedTimes: number[] = [];
  const refused: Record<string, number> = {};
  const journeys: Promise<void>[] = [];
  const run = `${o.random.fraction()}-${Date.now()}`;

  const order = async (number: number): Promise<void> => {
    const answer = await orderOnce(
      place,
      o.random.pick(people),
      bodyOf(o.random),
      `${run}-${number}`,
    );
    if (typeof answer === "string") refused[answer] = (refused[answer] ?? 0) + 1;
    else {
      accepted.push(answer);
      acceptedTimes.push(performance.now());
    }
  };
  const stopping = new AbortController();
  const began = performance.now();
  const send = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - began) / 1000) * o.rate);
      while (journeys.length < due) journeys.push(order(journeys.length));
      await pause(1000 / o.rate);
    }
  };
  const sending = send();
  return {
    acceptedTimes,
    stop: async () => {
      stopping.abort();
      await sending;
      await Promise.all(journeys);
      return { accepted, refused };
    },
  };
}

export function bodyOf(random: Random): Record<string, unknown> {
  const skus = new Set(Array.from({ length: MOST_ITEMS }, () => random.pick(SKUS)));
  return {
    items: [...skus].map((sku) => ({ sku, quantity: random.between(1, 3) })),
    paymentMethod: "pm_card_visa",
  };
}

/** One order, under one key until there is an answer: the accepted order, or why the customer gave up. */
export async function orderOnce(
  place: Place,
  who: Person,
  body: unknown,
  key: string,
): Promise<AcceptedOrder | string> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let restMs = FIRST_RETRY_MS; ; restMs = Math.min(restMs * 2, LAST_RETRY_MS)) {
    const answer = await postOrder(place, who, body, { headers: { "idempotency-key": key } }).catch(
      (error: unknown) => (error instanceof Error ? error.name : "no answer"),
    );
    if (typeof answer !== "string" && answer.status === 200) {
      const { order } = messageOf(CreateOrderResponseSchema, answer);
      if (order?.total === undefined) return "an answer without an order";
      const { id, number, total } = order;
      return { id, number, minorUnits: Number(total.minorUnits) };
    }
    const told = typeof answer === "string" ? answer : `status ${answer.status}`;
    const mayHelp = typeof answer === "string" || answer.status >= 500 || answer.status === 409;
    if (!mayHelp || performance.now() > deadline) return told;
    await pause(restMs);
  }
}

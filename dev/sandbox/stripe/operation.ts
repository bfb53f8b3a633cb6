// What every operation of the sandbox's Stripe is made of: the call, the books, and how answers look.
import type { Stripe } from "stripe";
import { type Answer, jsonAnswer } from "../answer.ts";
import type { Form } from "../form.ts";
import type { Ledger, Source } from "./ledger.ts";
import { missing, type StripeErrorBody } from "./refusal.ts";

export interface Call {
  readonly parameters: Form;
  /** The ID in the path; "" where there is none. */
  readonly id: string;
  readonly source: Source;
}

export interface Books {
  readonly ledger: Ledger;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly origin: () => string;
}

/**
 * Carries a call out. What it throws (StripeRefusal) was found before anything was done, and leaves no trace under the
 * idempotency key; what it answers, also a refusal, is saved under it.
 */
export type Operation = (books: Books, call: Call) => Answer;

/** A refusal that the state of things led to. */
export const refused = (error: Omit<StripeErrorBody, "type">, status = 400): Answer =>
  jsonAnswer(status, { error: { type: "invalid_request_error", ...error } });

export const listAnswer = <T>(url: string, data: T[], hasMore: boolean): Answer =>
  jsonAnswer(200, { object: "list", data, has_more: hasMore, url } satisfies Stripe.ApiList<T>);

/** The record, or Stripe's answer for an ID that it does not know. */
export function known<T>(found: T | undefined, noun: string, id: string, param = "id"): T {
  if (found === undefined) throw missing(404, noun, id, param);
  return found;
}

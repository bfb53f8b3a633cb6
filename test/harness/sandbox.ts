// What the providers saw and did, and what the customer does in the browser.
import { Stripe } from "stripe";
import { ask } from "./http.ts";
import { type Place, sandboxUrl } from "./place.ts";

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly idempotencyKey: string;
}

export interface Inbox {
  readonly emails: readonly Mail[];
  readonly sms: readonly { readonly to: string; readonly body: string }[];
}

export interface StripePayment {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The charges that moved money. */
  readonly charges: number;
  /** Sums, in Stripe's units. */
  readonly charged: number;
  readonly refunded: number;
  readonly refunds: readonly { readonly id: string; readonly status: string }[];
  readonly disputes: readonly { readonly id: string; readonly status: string }[];
}

export interface StripeEvent {
  readonly id: string;
  readonly type: string;
}

export async function inbox(place: Place): Promise<Inbox> {
  return await get<Inbox>(place, "/_/inbox");
}

/** The mails to an address, oldest first. */
export async function mailsTo(place: Place, address: string): Promise<Mail[]> {
  return (await inbox(place)).emails.filter((mail) => mail.to === address);
}

export async function smsTo(place: Place, number: string): Promise<string[]> {
  return (await inbox(place)).sms.filter(({ to }) => to === number).map(({ body }) => body);
}

export async function stripePayments(place: Place): Promise<readonly StripePayment[]> {
  const { payments } = await get<{ payments: StripePayment[] }>(place, "/_/payments");
  return payments;
}

/** Stripe's payments that say they are for the order: there must never be two. */
export async function stripePaymentsOf(
  place: Place,
  orderId: string,
): Promise<readonly StripePayment[]> {
  const path = `/_/payments?order_id=${orderId}`;
  return (await get<{ payments: StripePayment[] }>(place, path)).payments;
}

/** What Stripe has to tell of a PaymentIntent, the oldest first. */
export async function stripeEventsOf(
  place: Place,
  paymentIntentId: string,
): Promise<readonly StripeEvent[]> {
  const { webhooks } = await get<{
    webhooks: (StripeEvent & { readonly payment: string })[];
  }>(place, "/_/webhooks");
  return webhooks.filter(({ payment }) => payment === paymentIntentId);
}

/** Somebody with the account's key, who is not Waybill. */
export function atDashboard(place: Place): Stripe {
  const { hostname, port } = new URL(sandboxUrl(place));
  return new Stripe("sk_test_x", { host: hostname, port, protocol: "http", telemetry: false });
}

/** The customer's browser: pays, or passes 3-D Secure. */
export async function inBrowser(place: Place, path: string, body: unknown = {}): Promise<void> {
  const answer = await ask(`${sandboxUrl(place)}/_/${path}`, { body });
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
}

/** Orders a fault for the next requests to a provider; see dev/sandbox/README.md. */
export async function orderFault(
  place: Place,
  fault: Readonly<Record<string, unknown>>,
): Promise<void> {
  const answer = await ask(`${sandboxUrl(place)}/_/faults`, { body: fault });
  if (answer.status !== 201) throw new Error(`no such fault: ${answer.text}`);
}

/** A fault of Stripe's that strikes only what belongs to the order. */
export const faultOf = (
  place: Place,
  orderId: string,
  fault: Readonly<Record<string, unknown>>,
): Promise<void> =>
  orderFault(place, { provider: "stripe", metadata: { order_id: orderId }, ...fault });

/** No webhook of the order is delivered: what happens at Stripe, nobody tells. */
export const withoutWebhooks = (place: Place, orderId: string): Promise<void> =>
  faultOf(place, orderId, { fault: "webhook_hold", count: 1000 });

/** Somebody with the account's key, who sees all that Stripe has. */
export function atStripe(place: Place): Stripe {
  const { hostname, port } = new URL(sandboxUrl(place));
  return new Stripe("sk_test_x", { host: hostname, port, protocol: "http", telemetry: false });
}

/** The faults that have not struck yet. */
export async function faultsToCome(place: Place): Promise<readonly unknown[]> {
  return (await get<{ faults: unknown[] }>(place, "/_/faults")).faults;
}

/** No fault strikes any more. */
export async function forgetFaults(place: Place): Promise<void> {
  const { status, text } = await ask(`${sandboxUrl(place)}/_/faults`, { method: "DELETE" });
  if (status >= 300) throw new Error(`the faults are not forgotten: ${text}`);
}

/** The webhooks that were held are sent. */
export const releaseWebhooks = (place: Place): Promise<void> =>
  inBrowser(place, "webhooks/release");

/** Until it is disposed, faults may strike; afterwards none is left for the tests that follow. */
export function faultsUntilDone(place: Place): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: () => forgetFaults(place),
  };
}

async function get<T>(place: Place, path: string): Promise<T> {
  const { status, json, text } = await ask(`${sandboxUrl(place)}${path}`);
  if (status !== 200) throw new Error(`the sandbox answered ${status}: ${text}`);
  return json as T;
}

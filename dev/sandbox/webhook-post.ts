// Sends one webhook, signed as Stripe signs, or wrongly where that is asked for.
import { Agent, request } from "node:http";
import { Stripe } from "stripe";
import type { BadSignature } from "./faults.ts";

/** Stripe, too, gives a receiver some seconds. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Connections to a receiver at once. */
const MAX_CONNECTIONS = 32;
/** Seconds that a timestamp lies back or ahead: beyond the 300 that Stripe's SDKs tolerate. */
const OLD_S = 301;
const FUTURE_S = 360;

export interface Webhook {
  readonly url: string;
  /** `whsec_…`: the key of the signature. */
  readonly secret: string;
}

export const openAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });

/** The status of the answer; undefined where none came. */
export function postWebhook(
  { url, secret }: Webhook,
  payload: string,
  agent: Agent,
  bad?: BadSignature,
): Promise<number | undefined> {
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(payload),
    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    ...signatureOf(payload, secret, bad),
  };
  const options = { method: "POST", headers, agent, timeout: ANSWER_TIMEOUT_MS };
  return new Promise((resolve) => {
    const sent = request(url, options, (response) => {
      response.resume();
      response.once("close", () => resolve(response.complete ? response.statusCode : undefined));
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(undefined));
    sent.end(payload);
  });
}

/** By the machine's clock, which is the receiver's, too: the sandbox's may have been moved. */
function signatureOf(
  payload: string,
  secret: string,
  bad: BadSignature | undefined,
): { "stripe-signature"?: string } {
  const now = Math.floor(Date.now() / 1000);
  const sign = (key: string, timestamp: number) => ({
    "stripe-signature": Stripe.webhooks.generateTestHeaderString({
      payload,
      secret: key,
      timestamp,
    }),
  });
  switch (bad) {
    case undefined:
      return sign(secret, now);
    case "missing":
      return {};
    case "wrong":
      return sign(`${secret}_of_somebody_else`, now);
    case "old":
      return sign(secret, now - OLD_S);
    case "future":
      return sign(secret, now + FUTURE_S);
    default:
      return bad satisfies never;
  }
}

// Webhooks of providers: their raw bytes are passed on to the service that can verify them. Nothing is parsed here.
import type { FastifyInstance } from "fastify";
import type { Log } from "../platform/log.ts";
import { rawPost } from "../platform/rpc/raw-post.ts";

/** Providers wait longer than this, and send again what was not answered. */
const PASS_ON_TIMEOUT_MS = 10_000;
const LIMIT_BYTES = 256 * 1024;

/** Passes `POST /webhooks/stripe` on to the Payment service, and its answer back. */
export const webhookRoutes =
  (paymentUrl: string, log: Log) =>
  (app: FastifyInstance): void => {
    const target = new URL("/webhooks/stripe", paymentUrl);
    rawPost("/webhooks/stripe", {
      limitBytes: LIMIT_BYTES,
      log,
      handle: async (body, header) => {
        const answer = await fetch(target, {
          method: "POST",
          body: new Uint8Array(body),
          headers: {
            "content-type": header("content-type") || "application/json",
            "stripe-signature": header("stripe-signature"),
          },
          signal: AbortSignal.timeout(PASS_ON_TIMEOUT_MS),
        });
        return {
          status: answer.status,
          body: await answer.text(),
          contentType: answer.headers.get("content-type") ?? "text/plain",
        };
      },
    })(app);
  };

// The Payment service, from top to bottom: what is opened here is closed in the opposite order.
import { PaymentEventSchema } from "../../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { createTokenVerifier } from "../platform/access/token.ts";
import { openBackbone } from "../platform/backbone.ts";
import { withEventAdmin } from "../platform/event-admin/rpc.ts";
import type { Log } from "../platform/log.ts";
import { rawPost } from "../platform/rpc/raw-post.ts";
import { serve } from "../platform/rpc/server.ts";
import type { RunningService } from "../platform/run.ts";
import { timelineRoutes } from "../platform/timeline/rpc.ts";
import type { PaymentConfig } from "./config.ts";
import { paymentRoutes } from "./rpc.ts";
import { openStripe } from "./stripe/room.ts";
import { receiveWebhook } from "./webhook.ts";
import { startWorkers } from "./workers.ts";

const MIGRATIONS = new URL("../../migrations/payment/", import.meta.url);
/** Stripe's events are far smaller. */
const WEBHOOK_LIMIT_BYTES = 256 * 1024;

export async function startPayment(config: PaymentConfig, log: Log): Promise<RunningService> {
  await using parts = new AsyncDisposableStack();
  const verifier = await createTokenVerifier({ audience: "payment", ...config.identity });
  const backbone = parts.use(
    await openBackbone(config, log, {
      migrations: MIGRATIONS,
      streams: [PaymentEventSchema, PaymentStatusEventSchema],
    }),
  );
  const paymentParts = {
    ...backbone,
    ...config,
    stripe: openStripe(config.stripe),
    environment: config.namespace,
    log,
  };
  const workers = parts.use(startWorkers(paymentParts));
  const server = parts.use(
    await serve({
      ...config,
      verifier,
      log,
      routes: withEventAdmin(backbone.admin, (router) => {
        paymentRoutes(paymentParts)(router);
        timelineRoutes({ db: backbone.db, service: "payment" })(router);
      }),
      http: rawPost("/webhooks/stripe", {
        limitBytes: WEBHOOK_LIMIT_BYTES,
        log,
        handle: async (body, header) => {
          await receiveWebhook(paymentParts, body, header("stripe-signature"));
          workers.events.wake();
        },
      }),
      ready: backbone.ready,
    }),
  );
  const running = parts.move();
  return {
    url: server.url,
    failed: backbone.failed,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

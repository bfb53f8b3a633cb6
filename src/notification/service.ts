// The Notification service, from top to bottom: what is opened here is closed in the opposite order.
import { NotificationEventSchema } from "../../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { createTokenVerifier } from "../platform/access/token.ts";
import { openBackbone } from "../platform/backbone.ts";
import { withEventAdmin } from "../platform/event-admin/rpc.ts";
import type { Log } from "../platform/log.ts";
import { serve } from "../platform/rpc/server.ts";
import type { RunningService } from "../platform/run.ts";
import { timelineRoutes } from "../platform/timeline/rpc.ts";
import { startWorker } from "../platform/worker.ts";
import type { NotificationConfig } from "./config.ts";
import { notificationSubscriptions } from "./consumer.ts";
import { openResend } from "./resend.ts";
import { notificationRoutes } from "./rpc.ts";
import { sendDueNotifications } from "./send.ts";
import { openTwilio } from "./twilio.ts";

const MIGRATIONS = new URL("../../migrations/notification/", import.meta.url);

export async function startNotification(
  config: NotificationConfig,
  log: Log,
): Promise<RunningService> {
  await using parts = new AsyncDisposableStack();
  const verifier = await createTokenVerifier({ audience: "notification", ...config.identity });
  const backbone = parts.use(
    await openBackbone(config, log, {
      migrations: MIGRATIONS,
      streams: [NotificationEventSchema, OrderEventSchema, PaymentStatusEventSchema],
    }),
  );
  const sendParts = {
    ...backbone,
    sendMail: openResend(config.resend),
    sendSms: openTwilio(config.twilio),
    log,
  };
  const sender = parts.use(
    startWorker({
      name: "send",
      log,
      minPollMs: 200,
      maxPollMs: 1000,
      run: () => sendDueNotifications(sendParts),
    }),
  );
  parts.use(await backbone.consume(notificationSubscriptions, () => sender.wake()));
  const server = parts.use(
    await serve({
      ...config,
      verifier,
      log,
      routes: withEventAdmin(backbone.admin, (router) => {
        notificationRoutes({ ...backbone, wakeSender: () => sender.wake() })(router);
        timelineRoutes({ db: backbone.db, service: "notification" })(router);
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

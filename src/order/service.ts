// The Order service, from top to bottom: what is opened here is closed in the opposite order.
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { createTokenMinter } from "../platform/access/minter.ts";
import { createTokenVerifier } from "../platform/access/token.ts";
import { openBackbone } from "../platform/backbone.ts";
import { withEventAdmin } from "../platform/event-admin/rpc.ts";
import type { Log } from "../platform/log.ts";
import { connectTo } from "../platform/rpc/client.ts";
import { serve } from "../platform/rpc/server.ts";
import type { RunningService } from "../platform/run.ts";
import { startWorker } from "../platform/worker.ts";
import type { OrderConfig } from "./config.ts";
import { orderSubscriptions } from "./consumer.ts";
import { initiateDuePayments } from "./initiate.ts";
import { orderRoutes } from "./rpc.ts";

const MIGRATIONS = new URL("../../migrations/order/", import.meta.url);
const PAYMENT_TIMEOUT_MS = 4000;

export async function startOrder(config: OrderConfig, log: Log): Promise<RunningService> {
  await using parts = new AsyncDisposableStack();
  const verifier = await createTokenVerifier({ audience: "order", ...config.identity });
  const minter = await createTokenMinter({
    service: "order",
    privateKey: config.servicePrivateKey,
  });
  const backbone = parts.use(
    await openBackbone(config, log, {
      migrations: MIGRATIONS,
      streams: [OrderEventSchema, PaymentStatusEventSchema],
    }),
  );
  const payments = connectTo(PaymentService, {
    url: config.paymentUrl,
    audience: "payment",
    minter,
    timeoutMs: PAYMENT_TIMEOUT_MS,
  });
  const rpcParts = { ...backbone, payments, log };
  parts.use(
    startWorker({
      name: "initiate",
      log,
      minPollMs: 200,
      maxPollMs: 1000,
      run: () => initiateDuePayments(rpcParts),
    }),
  );
  parts.use(await backbone.consume(orderSubscriptions(backbone.outbox)));
  const server = parts.use(
    await serve({
      ...config,
      verifier,
      log,
      routes: withEventAdmin(backbone.admin, orderRoutes(rpcParts)),
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

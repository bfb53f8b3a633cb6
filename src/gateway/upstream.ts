// The services behind the gateway: which of them serves which RPC, and the call to it.
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageShape,
} from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl, Transport } from "@connectrpc/connect";
import { CatalogService } from "../../gen/waybill/order/v1/catalog_service_pb.js";
import { NotificationService } from "../../gen/waybill/notification/v1/notification_service_pb.js";
import { OrderService } from "../../gen/waybill/order/v1/order_service_pb.js";
import { PaymentService } from "../../gen/waybill/payment/v1/payment_service_pb.js";
import { transportTo } from "../platform/rpc/client.ts";
import type { GatewayConfig } from "./config.ts";
import { fillRequestId } from "./request-id.ts";

/** How long a call may take whose caller names no deadline of its own, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** The longest deadline that a caller may name, in milliseconds. */
export const MAX_TIMEOUT_MS = 60_000;

export interface Upstream {
  readonly services: readonly DescService[];
  /** Calls the service that serves the method, in the caller's name: with the caller's own token. */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    from: Caller,
  ): Promise<{
    readonly message: MessageShape<O>;
    readonly header: Headers;
    readonly trailer: Headers;
  }>;
  /** Opens a stream of the service that serves the method, in the caller's name. */
  watch<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
    from: Caller,
  ): Promise<AsyncIterable<MessageShape<O>>>;
}

interface Caller {
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

export function openUpstream(config: GatewayConfig): Upstream {
  const transports = new Map<DescService, Transport>();
  const behind = (audience: string, url: string, services: readonly DescService[]) => {
    const transport = transportTo({ url, audience, timeoutMs: MAX_TIMEOUT_MS });
    for (const service of services) transports.set(service, transport);
  };
  behind("order", config.orderUrl, [OrderService, CatalogService]);
  behind("payment", config.paymentUrl, [PaymentService]);
  behind("notification", config.notificationUrl, [NotificationService]);

  const transportOf = (service: DescService): Transport => {
    const transport = transports.get(service);
    if (transport !== undefined) return transport;
    throw new Error(`no service behind the gateway serves ${service.typeName}`);
  };
  return {
    services: [...transports.keys()],
    call: async (method, request, { headers, signal, timeoutMs }) =>
      await transportOf(method.parent).unary(
        method,
        signal,
        Math.min(timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS),
        onward(headers),
        request,
      ),
    watch: async (method, request, { headers, signal, timeoutMs }) => {
      const transport = transportOf(method.parent);
      const input = one(request);
      const answer = await transport.stream(method, signal, timeoutMs, onward(headers), input);
      return answer.message;
    },
  };
}

function onward(headers: Headers): Headers {
  const authorization = headers.get("authorization");
  return new Headers(authorization === null ? {} : { authorization });
}

async function* one<T>(message: T): AsyncIterable<T> {
  yield message;
}

/** The same RPCs over gRPC, gRPC-Web and Connect: each is passed on as it is. */
export const passThrough = (upstream: Upstream) => (router: ConnectRouter) => {
  for (const service of upstream.services) {
    const handlers = Object.fromEntries(
      service.methods.map((method) => [method.localName, handlerOf(upstream, method)]),
    );
    router.service(service, handlers as ServiceImpl<typeof service>);
  }
};

type Handler = (
  request: MessageShape<DescMessage>,
  context: HandlerContext,
) => Promise<MessageShape<DescMessage>> | AsyncIterable<MessageShape<DescMessage>>;

function handlerOf(upstream: Upstream, method: DescMethod): Handler {
  if (isUnary(method)) {
    return async (request, context) => {
      fillRequestId(method, request, context.requestHeader);
      return (await upstream.call(method, request, callerOf(context))).message;
    };
  }
  if (isWatched(method)) {
    return async function* (request, context) {
      yield* await upstream.watch(method, request, callerOf(context));
    };
  }
  throw new Error(`${method.name}: the gateway passes on no streams of clients`);
}

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";

const isWatched = (method: DescMethod): method is DescMethodServerStreaming =>
  method.methodKind === "server_streaming";

const callerOf = (context: HandlerContext): Caller => ({
  headers: context.requestHeader,
  signal: context.signal,
  timeoutMs: context.timeoutMs(),
});

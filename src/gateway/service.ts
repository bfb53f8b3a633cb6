// The gateway, from top to bottom. It keeps no state: what it knows of a request is in the request.
import { createTokenVerifier } from "../platform/access/token.ts";
import type { Log } from "../platform/log.ts";
import { serve } from "../platform/rpc/server.ts";
import type { RunningService } from "../platform/run.ts";
import type { GatewayConfig } from "./config.ts";
import { edgeHooks } from "./edge.ts";
import { createRest, restRoutes } from "./rest.ts";
import { openUpstream, passThrough } from "./upstream.ts";
import { webhookRoutes } from "./webhook.ts";

export async function startGateway(config: GatewayConfig, log: Log): Promise<RunningService> {
  const verifier = await createTokenVerifier({ audience: "gateway", ...config.identity });
  const upstream = openUpstream(config);
  const transcoder = createRest({ upstream, verifier, log, bodyLimitBytes: config.bodyLimitBytes });
  const rest = restRoutes(transcoder, config.bodyLimitBytes);
  const server = await serve({
    ...config,
    role: "gateway",
    verifier,
    log,
    routes: passThrough(upstream),
    hooks: edgeHooks(config, verifier),
    http: (app) => {
      webhookRoutes(config.paymentUrl, log)(app);
      rest.routes(app);
    },
    frameworkErrors: rest.malformed,
    // It needs nobody to be up: a call to a service that is away says so.
    ready: () => Promise.resolve(true),
  });
  return {
    url: server.url,
    failed: new Promise<never>(() => undefined),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

// What the sandbox's tests stand on: a sandbox on a free port, the real SDKs pointed at it, a webhook receiver.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resend } from "resend";
import { Stripe } from "stripe";
import twilio from "twilio";
import { type SandboxOptions, startSandbox } from "./sandbox.ts";

const webhookSecret = "whsec_test";
/** How far a timestamp may be from now, in seconds. https://docs.stripe.com/webhooks#replay-attacks */
const WEBHOOK_TOLERANCE_S = 300;
export const accountSid = "AC00000000000000000000000000000001";

/** A folder that is gone when it is disposed of. */
export async function openFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "waybill-sandbox-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A sandbox and clients for it. Without `dataDir` it forgets everything at the end. */
export async function openSandbox(options: Partial<SandboxOptions> = {}) {
  await using stack = new AsyncDisposableStack();
  const dataDir = options.dataDir ?? stack.use(await openFolder()).path;
  const sandbox = stack.use(
    await startSandbox({ host: "127.0.0.1", port: 0, ...options, dataDir }),
  );
  const running = stack.move();
  return {
    ...clientsOf(sandbox.url),
    url: sandbox.url,
    get: async (path: string): Promise<unknown> => (await fetch(`${sandbox.url}${path}`)).json(),
    post: async (path: string, body: unknown = {}): Promise<{ status: number; body: unknown }> => {
      const init = { method: "POST", body: JSON.stringify(body) };
      const response = await fetch(`${sandbox.url}${path}`, init);
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function clientsOf(url: string) {
  const { hostname, port } = new URL(url);
  const address = {
    host: hostname,
    port: Number(port),
    protocol: "http",
    telemetry: false,
  } as const;
  return {
    stripe: new Stripe("sk_test_1", { ...address, maxNetworkRetries: 0 }),
    /** Retries as a service would: under the same key. */
    patientStripe: new Stripe("sk_test_1", { ...address, maxNetworkRetries: 2 }),
    strangerStripe: new Stripe("sk_live_1", { ...address, maxNetworkRetries: 0 }),
    resend: new Resend("re_test", { baseUrl: url }),
    twilio: twilioAt(url),
  };
}

function twilioAt(url: string) {
  const client = twilio(accountSid, "token");
  client.api.baseUrl = url;
  return client;
}

/**
 * Takes Stripe's webhooks on a free port, or on `port`; answers what `statusOf` says, 200 if it says nothing. What is not
 * signed as it should be is answered 400 and gathered in `refused`.
 */
export async function openReceiver(
  statusOf: (event: Stripe.Event, nth: number) => number = () => 200,
  port = 0,
) {
  const received: Stripe.Event[] = [];
  const refused: string[] = [];
  const take = (body: Buffer, signature: string): number => {
    const event = verified(body, signature);
    if (event === undefined) {
      refused.push(signature);
      return 400;
    }
    received.push(event);
    return statusOf(event, received.filter(({ id }) => id === event.id).length);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const signature = String(request.headers["stripe-signature"] ?? "");
      response.writeHead(take(Buffer.concat(chunks), signature)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    received,
    refused,
    port: address.port,
    webhook: { url: `http://127.0.0.1:${address.port}/webhooks/stripe`, secret: webhookSecret },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Undefined where the signature is not right; of a time ahead, too, which the SDK itself lets pass. */
function verified(body: Buffer, signature: string): Stripe.Event | undefined {
  const time = Number(/t=(\d+)/.exec(signature)?.[1] ?? 0);
  if (time > Date.now() / 1000 + WEBHOOK_TOLERANCE_S) return undefined;
  try {
    return Stripe.webhooks.constructEvent(body, signature, webhookSecret, WEBHOOK_TOLERANCE_S);
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return undefined;
    throw error;
  }
}

/** What the SDK throws; throws itself where the call was not refused. */
export async function errorOf(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Stripe.errors.StripeError) return error;
  throw new Error("the call was not refused", { cause: error });
}

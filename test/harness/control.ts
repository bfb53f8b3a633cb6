// Stops, starts and kills the services of the shared stack: they belong to the process of the global setup, and a test asks it.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SERVICES, type ServiceName } from "../../dev/stack/stack-file.ts";
import type { OwnStack } from "./stack.ts";

const ACTIONS = ["stop", "start", "SIGKILL", "SIGTERM"] as const;
type Action = (typeof ACTIONS)[number];

/** Takes requests until it is disposed. */
export async function openControl(
  stack: OwnStack,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    act(stack, request.url ?? "").then(
      () => response.end(JSON.stringify(stack.said)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function act(stack: OwnStack, path: string): Promise<void> {
  if (path === "/") return;
  const [, action, name] = path.split("/");
  const service = SERVICES.find((known) => known === name);
  const wanted = ACTIONS.find((known) => known === action);
  if (service === undefined || wanted === undefined) throw new Error(`there is no ${path}`);
  if (wanted === "stop") await stack.stopService(service);
  else if (wanted === "start") await stack.startService(service);
  else await stack.killService(service, wanted);
}

export interface Control {
  /** Asks the service to stop; it stays down until it is started. */
  readonly stop: (name: ServiceName) => Promise<void>;
  /** Waits until it serves; one that runs is left alone. */
  readonly start: (name: ServiceName) => Promise<void>;
  /** Sends the signal and waits for the end; the launcher brings the service back. */
  readonly kill: (name: ServiceName, signal: "SIGKILL" | "SIGTERM") => Promise<void>;
  /** What the launcher said since this control was taken, one line each. */
  readonly said: () => Promise<readonly string[]>;
}

/** A test's own view of the shared stack's launcher. */
export async function takeControl(url: string): Promise<Control> {
  const ask = async (path: string): Promise<string[]> => {
    const answer = await fetch(`${url}${path}`);
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as string[];
  };
  const to = async (action: Action, name: ServiceName) => {
    await ask(`/${action}/${name}`);
  };
  const before = (await ask("/")).length;
  return {
    stop: (name) => to("stop", name),
    start: (name) => to("start", name),
    kill: (name, signal) => to(signal, name),
    said: async () => (await ask("/")).slice(before),
  };
}

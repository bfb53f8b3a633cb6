// A TCP proxy that can be told to misbehave, while it runs, for the connections there are and for those to come.
import { createServer, type Socket } from "node:net";
import { freePort } from "../../dev/process/ports.ts";
import { openLink, type Link, type LinkMode } from "./proxy-link.ts";

const HOST = "127.0.0.1";

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** From now on, for these connections (default: all, those that are open and those to come). */
  set(mode: LinkMode, which?: "all" | "open" | "new"): void;
  /** How many connections are open. */
  open(): number;
}

/** Stands in front of a port of this machine, on a free port of its own. */
export async function openProxy(target: number): Promise<Proxy> {
  const links = new Set<Link>();
  let fresh: LinkMode = { kind: "pass" };
  const accept = (client: Socket): void => {
    const link = openLink(client, { port: target, host: HOST }, fresh);
    links.add(link);
    link.onClosed(() => links.delete(link));
  };
  const port = await freePort();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  return {
    port,
    set(mode, which = "all") {
      if (which !== "open") fresh = mode;
      if (which !== "new") for (const link of links) link.set(mode);
    },
    open: () => links.size,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const link of links) link.destroy();
      await closed;
    },
  };
}

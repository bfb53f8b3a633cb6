// Free ports for the servers of the local stack.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the range from which the system takes the ports of outgoing connections (32768 on Linux, 49152 on macOS).
 * A server that was killed must get its own port back: a client that keeps knocking at a port of that range can
 * be given the very port as its own end, connect to itself and hold it.
 */
const LOWEST_PORT = 10_240;
const HIGHEST_PORT = 32_000;
const TRIES = 100;
const HOST = "127.0.0.1";

const handedOut = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on and that this process has not handed out before. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (handedOut.has(port) || !(await isFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`No free port was found between ${LOWEST_PORT} and ${HIGHEST_PORT}.`);
}

/** True when a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: HOST, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

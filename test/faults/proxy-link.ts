// One connection through the proxy: two ends, a queue in each direction, and the mode that it is in.
import { connect, type Socket } from "node:net";

/** A direction that holds so many bytes reads no more: TCP then slows its sender down. */
const HELD_LIMIT_BYTES = 8_000_000;

/**
 * What happens to the bytes of a connection:
 * - `pass`: they go through.
 * - `delay`: they go through, so much later, in both directions.
 * - `blackhole`: nothing gets through, not even an end; when it is over the bytes arrive late, as they do with TCP.
 * - `reset`: both ends are reset; with `afterBytes`, once so many bytes came from the client: in the middle of a request.
 * - `half_open`: the server's end is gone and the client is not told; such a connection stays dead.
 * - `drop_response`: the server gets the request; its answer is thrown away and the client is reset.
 */
export type LinkMode =
  | { readonly kind: "pass" | "blackhole" | "half_open" | "drop_response" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "reset"; readonly afterBytes?: number };

export interface Link {
  set(mode: LinkMode): void;
  destroy(): void;
  onClosed(told: () => void): void;
}

/** What waits for its way: bytes, or the end of the stream (null). */
interface Waiting {
  readonly chunk: Buffer | null;
  readonly dueTime: number;
}

interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  readonly queue: Waiting[];
  heldBytes: number;
  timer: NodeJS.Timeout | undefined;
}

/** Connects to the target for this client. */
export const openLink = (
  client: Socket,
  target: { readonly port: number; readonly host: string },
  mode: LinkMode,
): Link => new OpenLink(client, connect({ ...target, allowHalfOpen: true, noDelay: true }), mode);

/** The state of one connection. */
class OpenLink implements Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #up: Direction;
  readonly #down: Direction;
  readonly #closed = Promise.withResolvers<void>();
  #mode: LinkMode;
  /** Half open: what the client says goes nowhere, for good. */
  #isDead = false;
  /** Bytes from the client since the mode was set. */
  #fromClient = 0;

  constructor(client: Socket, server: Socket, mode: LinkMode) {
    this.#client = client;
    this.#server = server;
    this.#up = directionOf(client, server);
    this.#down = directionOf(server, client);
    this.#mode = mode;
    this.#follow(this.#up);
    this.#follow(this.#down);
    this.set(mode);
  }

  onClosed(told: () => void): void {
    void this.#closed.promise.then(told);
  }

  set(mode: LinkMode): void {
    this.#mode = mode;
    this.#fromClient = 0;
    if (this.#isDead) return;
    if (mode.kind === "reset" && mode.afterBytes === undefined) return this.#reset();
    if (mode.kind === "half_open") return this.#loseServer();
    for (const direction of [this.#up, this.#down]) flush(direction, mode);
    if (mode.kind !== "blackhole" && this.#server.destroyed) this.#reset();
  }

  destroy(): void {
    for (const { timer } of [this.#up, this.#down]) clearTimeout(timer);
    this.#client.destroy();
    this.#server.destroy();
    this.#closed.resolve();
  }

  #reset(): void {
    for (const socket of [this.#client, this.#server])
      if (!socket.destroyed) socket.resetAndDestroy();
    this.destroy();
  }

  #loseServer(): void {
    this.#isDead = true;
    this.#server.destroy();
    if (this.#client.destroyed) this.destroy();
    else this.#client.once("close", () => this.destroy());
  }

  #follow(direction: Direction): void {
    direction.from.on("data", (chunk: Buffer) => this.#take(direction, chunk));
    direction.from.on("end", () => this.#take(direction, null));
    direction.from.on("error", () => undefined); // its close follows
    direction.from.on("close", (hadError: boolean) => {
      if (this.#isDead) return;
      if (this.#mode.kind === "blackhole") return void direction.queue.push(END); // told when it is over
      if (hadError) this.#reset();
      else if (this.#client.destroyed && this.#server.destroyed) this.destroy();
    });
  }

  #take(direction: Direction, chunk: Buffer | null): void {
    const mode = this.#mode;
    if (this.#isDead) return;
    if (mode.kind === "drop_response" && direction === this.#down) return this.#reset();
    if (direction === this.#up) this.#fromClient += chunk?.length ?? 0;
    const delayMs = mode.kind === "delay" ? mode.ms : 0;
    direction.queue.push({ chunk, dueTime: performance.now() + delayMs });
    direction.heldBytes += chunk?.length ?? 0;
    if (direction.heldBytes > HELD_LIMIT_BYTES) direction.from.pause();
    flush(direction, mode);
    if (mode.kind === "reset" && this.#fromClient >= (mode.afterBytes ?? 0)) this.#reset();
  }
}

const END: Waiting = { chunk: null, dueTime: 0 };

const directionOf = (from: Socket, to: Socket): Direction => ({
  from,
  to,
  queue: [],
  heldBytes: 0,
  timer: undefined,
});

/** Sends on what is due. */
function flush(direction: Direction, mode: LinkMode): void {
  clearTimeout(direction.timer);
  if (mode.kind === "blackhole") return;
  for (;;) {
    const next = direction.queue[0];
    if (next === undefined) break;
    const restMs = next.dueTime - performance.now();
    if (mode.kind === "delay" && restMs > 0) {
      direction.timer = setTimeout(() => flush(direction, mode), restMs);
      return;
    }
    direction.queue.shift();
    direction.heldBytes -= next.chunk?.length ?? 0;
    if (!direction.to.writable) continue; // the other end is gone already
    if (next.chunk === null) direction.to.end();
    else direction.to.write(next.chunk);
  }
  if (direction.from.isPaused() && direction.heldBytes < HELD_LIMIT_BYTES) direction.from.resume();
}

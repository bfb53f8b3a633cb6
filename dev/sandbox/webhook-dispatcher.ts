// Delivers webhooks at least once: each is tried until the receiver answers 2xx, however long that takes.
import type { BadSignature } from "./faults.ts";
import { openAgent, postWebhook, type Webhook } from "./webhook-post.ts";

/** Deliveries under way at once. */
const MAX_IN_FLIGHT = 16;
/** Waits before an event that was answered with an error is sent again; the last one repeats. */
const RETRY_DELAYS_MS = [200, 500, 1000, 2000, 5000];
/** Waits before a receiver that is not there is tried again with one event; the last one repeats. */
const ABSENT_DELAYS_MS = [200, 500, 1000];
/** What a proxy answers in place of a receiver that is not there. */
const ABSENT_STATUSES = new Set([502, 503, 504]);

export interface DispatcherOptions {
  readonly webhook: Webhook;
  /** The JSON of an event, as it is now. */
  readonly payload: (eventId: string) => string;
  /** How the signature of this delivery is to be wrong; undefined where it is not. */
  readonly badSignature: (eventId: string) => BadSignature | undefined;
  readonly onDelivered: (eventId: string) => void;
  readonly log: (line: string) => void;
}

/** One attempt at a delivery. */
export interface Attempt {
  readonly event: string;
  /** Null where no answer came. */
  readonly status: number | null;
}

export class WebhookDispatcher implements Disposable {
  readonly #options: DispatcherOptions;
  readonly #agent = openAgent();
  /** Each is sent one after the other, and beside the others. */
  readonly #ready: (readonly string[])[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #inFlight = 0;
  /** How often in a row the receiver was not there. */
  #absences = 0;
  #paused = false;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Delivers the events soon, never before the present task is done; several of them one after the other. */
  enqueue(eventIds: readonly string[], delayMs = 0): void {
    if (delayMs > 0) return this.#after(delayMs, () => this.#ready.push(eventIds));
    this.#ready.push(eventIds);
    setImmediate(() => this.#pump());
  }

  /** Sends the events now, once, one after the other, whatever became of them before, and tells how each was answered. */
  async send(eventIds: readonly string[], signature?: BadSignature): Promise<Attempt[]> {
    const attempts: Attempt[] = [];
    for (const event of eventIds) {
      const payload = this.#options.payload(event);
      const status = await postWebhook(this.#options.webhook, payload, this.#agent, signature);
      if (isTaken(status) && !this.#closed) this.#options.onDelivered(event);
      attempts.push({ event, status: status ?? null });
    }
    return attempts;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#agent.destroy();
  }

  #pump(): void {
    while (!this.#closed && !this.#paused) {
      if (this.#inFlight >= (this.#absences > 0 ? 1 : MAX_IN_FLIGHT)) return;
      const [eventId, ...rest] = this.#ready.shift() ?? [];
      if (eventId === undefined) return;
      this.#inFlight += 1;
      this.#deliver(eventId, rest).catch((error: unknown) =>
        this.#options.log(`webhook ${eventId}: ${String(error)}`),
      );
    }
  }

  async #deliver(eventId: string, rest: readonly string[]): Promise<void> {
    let status: number | undefined;
    try {
      const { webhook, payload, badSignature } = this.#options;
      status = await postWebhook(webhook, payload(eventId), this.#agent, badSignature(eventId));
    } finally {
      this.#inFlight -= 1;
    }
    if (this.#closed) return;
    if (status === undefined || ABSENT_STATUSES.has(status)) {
      this.#receiverAbsent([eventId, ...rest]);
    } else {
      this.#receiverAnswered(eventId, status);
      if (rest.length > 0) this.#ready.unshift(rest);
    }
    this.#pump();
  }

  #receiverAnswered(eventId: string, status: number): void {
    if (this.#absences > 0)
      this.#options.log(`webhooks: ${this.#options.webhook.url} answers again`);
    this.#absences = 0;
    if (isTaken(status)) {
      this.#attempts.delete(eventId);
      this.#options.onDelivered(eventId);
      return;
    }
    const attempts = (this.#attempts.get(eventId) ?? 0) + 1;
    this.#attempts.set(eventId, attempts);
    this.#options.log(`webhook ${eventId}: answered ${status}, attempt ${attempts}`);
    this.#after(delayOf(RETRY_DELAYS_MS, attempts), () => this.#ready.push([eventId]));
  }

  /** Waits with all events: a crowd of them would not call the receiver back sooner. */
  #receiverAbsent(eventIds: readonly string[]): void {
    this.#ready.push(eventIds);
    if (this.#paused) return;
    if (this.#absences === 0)
      this.#options.log(`webhooks: ${this.#options.webhook.url} does not answer, trying on`);
    this.#absences += 1;
    this.#paused = true;
    this.#after(delayOf(ABSENT_DELAYS_MS, this.#absences), () => {
      this.#paused = false;
    });
  }

  #after(delayMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
      this.#pump();
    }, delayMs);
    this.#timers.add(timer);
  }
}

const isTaken = (status: number | undefined): boolean =>
  status !== undefined && status >= 200 && status < 300;

const delayOf = (delaysMs: readonly number[], attempt: number): number =>
  delaysMs[Math.min(attempt, delaysMs.length) - 1] ?? 0;

// Delivers webhooks at least once: each is tried until the receiver answers 2xx, however long that takes.
import { Agent, request } from "node:http";
import { Stripe } from "stripe";

/** Deliveries under way at once. */
const MAX_IN_FLIGHT = 16;
/** Stripe, too, gives a receiver some seconds. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Waits before an event that was answered with an error is sent again; the last one repeats. */
const RETRY_DELAYS_MS = [200, 500, 1000, 2000, 5000];
/** Waits before a receiver that is not there is tried again with one event; the last one repeats. */
const ABSENT_DELAYS_MS = [200, 500, 1000];
/** What a proxy answers in place of a receiver that is not there. */
const ABSENT_STATUSES = new Set([502, 503, 504]);

export interface Webhook {
  readonly url: string;
  /** `whsec_…`: the key of the signature. */
  readonly secret: string;
}

export interface DispatcherOptions {
  readonly webhook: Webhook;
  /** The JSON of an event, as it is now. */
  readonly payload: (eventId: string) => string;
  readonly onDelivered: (eventId: string) => void;
  readonly log: (line: string) => void;
}

export class WebhookDispatcher implements Disposable {
  readonly #options: DispatcherOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  readonly #ready: string[] = [];
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

  /** Delivers the event soon, never before the present task is done. */
  enqueue(eventId: string): void {
    this.#ready.push(eventId);
    setImmediate(() => this.#pump());
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#agent.destroy();
  }

  #pump(): void {
    while (!this.#closed && !this.#paused) {
      if (this.#inFlight >= (this.#absences > 0 ? 1 : MAX_IN_FLIGHT)) return;
      const eventId = this.#ready.shift();
      if (eventId === undefined) return;
      this.#inFlight += 1;
      this.#deliver(eventId).catch((error: unknown) =>
        this.#options.log(`webhook ${eventId}: ${String(error)}`),
      );
    }
  }

  async #deliver(eventId: string): Promise<void> {
    let status: number | undefined;
    try {
      status = await this.#post(this.#options.payload(eventId));
    } finally {
      this.#inFlight -= 1;
    }
    if (this.#closed) return;
    if (status === undefined || ABSENT_STATUSES.has(status)) this.#receiverAbsent(eventId);
    else this.#receiverAnswered(eventId, status);
    this.#pump();
  }

  #receiverAnswered(eventId: string, status: number): void {
    if (this.#absences > 0)
      this.#options.log(`webhooks: ${this.#options.webhook.url} answers again`);
    this.#absences = 0;
    if (status >= 200 && status < 300) {
      this.#attempts.delete(eventId);
      this.#options.onDelivered(eventId);
      return;
    }
    const attempts = (this.#attempts.get(eventId) ?? 0) + 1;
    this.#attempts.set(eventId, attempts);
    this.#options.log(`webhook ${eventId}: answered ${status}, attempt ${attempts}`);
    this.#after(delayOf(RETRY_DELAYS_MS, attempts), () => this.#ready.push(eventId));
  }

  /** Waits with all events: a crowd of them would not call the receiver back sooner. */
  #receiverAbsent(eventId: string): void {
    this.#ready.push(eventId);
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

  /** The status of the answer; undefined where none came. */
  #post(payload: string): Promise<number | undefined> {
    const { url, secret } = this.#options.webhook;
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(payload),
      "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
      "stripe-signature": Stripe.webhooks.generateTestHeaderString({ payload, secret }),
    };
    const options = { method: "POST", headers, agent: this.#agent, timeout: ANSWER_TIMEOUT_MS };
    return new Promise((resolve) => {
      const sent = request(url, options, (response) => {
        response.resume();
        response.once("close", () => resolve(response.complete ? response.statusCode : undefined));
      });
      sent.once("timeout", () => sent.destroy());
      sent.once("error", () => resolve(undefined));
      sent.end(payload);
    });
  }
}

const delayOf = (delaysMs: readonly number[], attempt: number): number =>
  delaysMs[Math.min(attempt, delaysMs.length) - 1] ?? 0;

// Idempotency keys as Stripe and Resend keep them: the first answer for a key is given again for 24 hours.
import { createHash } from "node:crypto";
import type { Answer } from "./answer.ts";
import type { Collection } from "./journal.ts";

/** https://docs.stripe.com/api/idempotent_requests and https://resend.com/docs/dashboard/emails/idempotency-keys */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** The first request under a key and what it was answered. */
export interface SavedAnswer {
  readonly endpoint: string;
  /** SHA-256 of the parameters. */
  readonly hash: string;
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

/** What a key says about a request that carries it. */
export type Verdict =
  | { readonly kind: "first" }
  | { readonly kind: "in_use" }
  | { readonly kind: "mismatch"; readonly endpoint: string }
  | { readonly kind: "replay"; readonly saved: SavedAnswer };

export class IdempotencyKeys {
  readonly #saved: Collection<SavedAnswer>;
  readonly #running = new Set<string>();

  constructor(saved: Collection<SavedAnswer>) {
    this.#saved = saved;
  }

  verdict(key: string, endpoint: string, parameters: string): Verdict {
    if (this.#running.has(key)) return { kind: "in_use" };
    const saved = this.#saved.get(key);
    if (saved === undefined) return { kind: "first" };
    const same = saved.endpoint === endpoint && saved.hash === hashOf(parameters);
    return same ? { kind: "replay", saved } : { kind: "mismatch", endpoint: saved.endpoint };
  }

  /** Holds the key until the result is disposed of: another request with it is told that it is in use. */
  hold(key: string): Disposable {
    this.#running.add(key);
    return { [Symbol.dispose]: () => this.#running.delete(key) };
  }

  /** As after its life; false where it is not known. Belongs inside a change of the journal. */
  forget(key: string): boolean {
    const known = this.#saved.get(key) !== undefined;
    this.#saved.forget(key);
    return known;
  }

  /** Remembers the answer; belongs to the same change of the journal as what was done. */
  save(
    key: string,
    first: { endpoint: string; parameters: string; requestId: string },
    answer: Answer,
  ): void {
    this.#saved.put(key, {
      endpoint: first.endpoint,
      hash: hashOf(first.parameters),
      status: answer.status,
      body: answer.body,
      requestId: first.requestId,
    });
  }
}

const hashOf = (parameters: string): string =>
  createHash("sha256").update(parameters).digest("hex");

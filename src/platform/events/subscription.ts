// What a service says when it wants events: the message of a topic, and what to do with each.
import type { Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { Transaction } from "./schema.ts";

export type Outcome =
  /** The effect is in the transaction. */
  | { readonly outcome: "applied" }
  /** The event changes nothing here, and never will. */
  | { readonly outcome: "ignored"; readonly reason: string }
  /** What the event builds on has not come yet: it is kept, with the later ones of its topic and key, and retried. */
  | { readonly outcome: "not_yet"; readonly reason: string };

export interface EventMeta {
  /** The same for every delivery of the event. */
  readonly eventId: string;
  /** "order.created" */
  readonly type: string;
  readonly key: string;
  /** 1, 2, 3 … per topic and key; 0 where the sender gave none. */
  readonly sequence: bigint;
  readonly time: Date | undefined;
  readonly traceparent: string | undefined;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface Subscription<M extends Message = Message> {
  readonly schema: GenMessage<M>;
  /**
   * Applies the event through the transaction, which also holds the inbox row: both commit or neither. Other events
   * may share the transaction. A handler that answers "ignored" or "not_yet" must have written nothing; the reason is
   * written down for it. What it throws is classified: transient errors are retried, permanent ones make the event
   * dead, bugs have three tries.
   */
  handle(tx: Transaction, event: M, meta: EventMeta): Promise<Outcome>;
  /**
   * An operator may run the handler again for events that it applied before: a second run, however late, leaves things
   * as they are or repairs them. Never for a handler that makes intents (mails, charges, events of its own): each
   * would be made twice. Default: false.
   */
  readonly repeatable?: boolean;
}

export type ErrorKind = "transient" | "permanent" | "bug";

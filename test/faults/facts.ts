// All that is known after a run, from every side: what was promised, what is stored, what is on the topics, what was done outside.

/** A record of a topic. */
export interface TopicRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** ce_id; "" where the record brings none, and so is no event of a service. */
  readonly eventId: string;
  /** ce_sequence. */
  readonly seq: number;
  /** ce_type, with the status where it is one of a payment: "payment.status-updated SUCCEEDED". */
  readonly type: string;
}

/** An order that a customer was told is accepted. */
export interface AcceptedOrder {
  readonly id: string;
  readonly number: string;
  readonly minorUnits: number;
}

export interface Facts {
  /** How many events the databases say there are of a topic and key: they have the sequences 1 to `last`. */
  readonly history: readonly {
    readonly topic: string;
    readonly key: string;
    readonly last: number;
  }[];
  /** Every record, in the order of its partition. */
  readonly records: readonly TopicRecord[];
  /** What each consumer says it has taken: the IDs in its inbox. */
  readonly consumers: readonly {
    readonly consumer: string;
    readonly topics: readonly string[];
    readonly taken: readonly string[];
  }[];
  readonly accepted: readonly AcceptedOrder[];
  readonly orders: readonly {
    readonly id: string;
    readonly number: string;
    readonly status: string;
    readonly minorUnits: number;
    /** What Order knows to have been given back. */
    readonly refunded: number;
  }[];
  /** The orders that somebody fought over, so that they may also end FAILED, CANCELLED or EXPIRED; all others end PAID. */
  readonly raced: ReadonlySet<string>;
  /** The rows of the Payment service. */
  readonly payments: readonly {
    readonly orderId: string;
    readonly status: string;
    /** The sum of the refunds that did not fail. */
    readonly refunded: number;
    /** How many refunds there are, and of how many the money is on its way back. */
    readonly refunds: number;
    readonly goodRefunds: number;
  }[];
  /** The ledger of the provider. `charges` counts those that moved money; the sums are in its own units. */
  readonly intents: readonly {
    readonly id: string;
    readonly orderId: string;
    readonly amount: number;
    readonly charges: number;
    readonly charged: number;
    readonly refunded: number;
  }[];
  /** The rows of the Notification service. */
  readonly notifications: readonly {
    readonly id: string;
    readonly orderId: string;
    readonly template: string;
    readonly subject: string;
    readonly status: string;
  }[];
  /** The mails that the provider took. */
  readonly mails: readonly { readonly subject: string }[];
  /** Rows that wait where nothing should wait any more, by database and table. */
  readonly left: Readonly<Record<string, number>>;
}

/** What is wrong, each with the keys, sequences and places that show it. All empty: the promises were kept. */
export interface Verdict {
  /** Events or effects that are not there. */
  readonly lost: readonly string[];
  /** Effects that are there twice. */
  readonly doubled: readonly string[];
  /** First deliveries out of their order. */
  readonly reordered: readonly string[];
  /** Anything else that does not fit. */
  readonly wrong: readonly string[];
  /** Records that were there before: allowed, the inbox is there for them. */
  readonly redelivered: number;
}

/** A verdict that is being found. */
export interface Findings extends Verdict {
  readonly lost: string[];
  readonly doubled: string[];
  readonly reordered: string[];
  readonly wrong: string[];
  redelivered: number;
}

// The consumers of the stack: which service reads which topics, in which group.
import type { Store } from "../../dev/backends/databases.ts";
import { namespaced } from "../../src/platform/events/stream.ts";

export interface Group {
  /** The service, which names the rows of its inbox. */
  readonly consumer: Store;
  readonly group: string;
  readonly topics: readonly string[];
}

export const groupsOf = (namespace: string): readonly Group[] =>
  [
    { consumer: "order", topics: ["payment-status-updates"] } as const,
    { consumer: "notification", topics: ["order-events", "payment-status-updates"] } as const,
  ].map(({ consumer, topics }) => ({
    consumer,
    group: namespaced(namespace, consumer),
    topics: topics.map((topic) => namespaced(namespace, topic)),
  }));

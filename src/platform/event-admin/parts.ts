// What the operations on a service's events need of it.
import type { Consumer } from "../events/consumer.ts";
import type { EventLog } from "../events/ports.ts";
import type { Database } from "../events/schema.ts";
import { namespaced } from "../events/stream.ts";

export interface EventAdminParts {
  /** The service: "order". Also the name of its consumer. */
  readonly service: string;
  readonly namespace: string;
  readonly db: Database;
  readonly eventLog: EventLog;
  /** Undefined: the service consumes nothing. */
  readonly consumer: () => Consumer | undefined;
  /** There may be something to send. */
  readonly wakeRelay: () => void;
}

/** The topic's full name, however the caller gave it: operators think of it as the contract names it. */
export function fullTopic({ namespace }: EventAdminParts, name: string): string {
  return name.startsWith(namespaced(namespace, "")) ? name : namespaced(namespace, name);
}

/** A filter of a request: empty is none. */
export const given = (text: string): string | undefined => (text === "" ? undefined : text);

/** The same for a topic, with its full name. */
export const givenTopic = (parts: EventAdminParts, name: string): string | undefined =>
  name === "" ? undefined : fullTopic(parts, name);

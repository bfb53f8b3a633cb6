// Why an event changed nothing: a line for operators in the timeline of the order whose event it was.
import type { IgnoredEvent } from "../events/apply.ts";
import { storable } from "../events/failure.ts";
import type { Transaction } from "../events/schema.ts";
import { recordTimeline, type Happened } from "./store.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** In the transaction that takes the events, which happens once for each of them. */
export const noteIgnored = (tx: Transaction, events: readonly IgnoredEvent[]): Promise<void> =>
  recordTimeline(tx, ...events.flatMap(lineOf));

/** Every topic's key is the order's ID; an event with another key has no timeline. */
function lineOf({ event: { meta, content }, reason }: IgnoredEvent): Happened[] {
  const { key, eventId, type, topic, traceparent } = meta;
  if (!UUID.test(key)) return [];
  const message: object = content.kind === "event" ? content.message : {};
  const customerId = "customerId" in message ? message.customerId : "";
  return [
    {
      orderId: key,
      customerId: typeof customerId === "string" ? storable(customerId) : "",
      type: "event.ignored",
      text: storable(`${type}: ${reason}`),
      visibility: "OPERATOR",
      references: { event_id: eventId, topic },
      traceparent,
    },
  ];
}

// The RPCs on events that the broker refused.
import type { HandlerContext } from "@connectrpc/connect";
import type {
  ListParkedEventsRequest,
  ReleaseParkedEventsRequest,
  SkipParkedEventRequest,
} from "../../../gen/waybill/event/v1/event_admin_service_pb.js";
import { listParked, releaseParked, skipParked } from "../events/parked.ts";
import { cutPage, pageSizeOf, readPageToken } from "../page.ts";
import { Refusal } from "../refusal.ts";
import { change } from "./change.ts";
import { ROW_KEY } from "./dead-letters.ts";
import { fullTopic, given, givenTopic, type EventAdminParts } from "./parts.ts";
import { toParkedEvent } from "./wire.ts";

export async function listParkedPage(parts: EventAdminParts, request: ListParkedEventsRequest) {
  const wanted = { topic: givenTopic(parts, request.topic), key: given(request.key) };
  const filter = JSON.stringify(["parked", wanted.topic, wanted.key]);
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, filter, ROW_KEY);
  const rows = await listParked(parts.db, wanted, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.id, filter);
  return { parkedEvents: page.map(toParkedEvent), nextPageToken };
}

export async function releaseParkedOf(
  parts: EventAdminParts,
  { eventKey, reason }: ReleaseParkedEventsRequest,
  context: HandlerContext,
) {
  const topic = fullTopic(parts, eventKey?.topic ?? "");
  const key = eventKey?.key ?? "";
  const subject = { eventKey: { topic, key } };
  const released = await change(parts, context, { subject, reason }, async (tx) => {
    const events = await releaseParked(tx, { topic, key });
    if (events === 0) {
      const message = `nothing of the key ${key} is parked on its way to ${topic}`;
      throw new Refusal("not_found", message, { field: "event_key" });
    }
    return { events, result: events };
  });
  parts.wakeRelay();
  return { eventCount: BigInt(released) };
}

export async function skipParkedOf(
  parts: EventAdminParts,
  { eventId, reason }: SkipParkedEventRequest,
  context: HandlerContext,
) {
  const left = await change(parts, context, { subject: { eventId }, reason }, async (tx) => {
    const result = await skipParked(tx, eventId);
    if (result === undefined) {
      const message = `there is no parked event ${eventId}`;
      throw new Refusal("not_found", message, { field: "event_id" });
    }
    return { events: 1, result };
  });
  return { parkedEventCount: BigInt(left) };
}

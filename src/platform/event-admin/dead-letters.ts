// The RPCs on dead letters and on the keys that wait for them.
import { toJson, type JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { HeldState } from "../../../gen/waybill/event/v1/event_admin_pb.js";
import {
  ReplayDeadLettersRequestSchema,
  type GetDeadLetterRequest,
  type ListDeadLettersRequest,
  type ListHeldKeysRequest,
  type ReplayDeadLettersRequest,
  type SkipDeadLetterRequest,
} from "../../../gen/waybill/event/v1/event_admin_service_pb.js";
import {
  countDeadLetters,
  findDeadLetter,
  listDeadLetters,
  replayDeadLetters,
  skipDeadLetter,
  wasTaken,
  type DeadLetterTarget,
} from "../events/dead-letter.ts";
import { listHeldKeys } from "../events/held-key.ts";
import { cutPage, pageSizeOf, readPageToken } from "../page.ts";
import { Refusal } from "../refusal.ts";
import { change } from "./change.ts";
import { fullTopic, given, givenTopic, type EventAdminParts } from "./parts.ts";
import { toContent, toDeadLetter, toHeldKey } from "./wire.ts";
import { dateOf } from "../time.ts";

/** The form of a sort key that is the number of a row. */
export const ROW_KEY = /^[0-9]{1,19}$/;

export async function listDeadLettersPage(parts: EventAdminParts, request: ListDeadLettersRequest) {
  const wanted = {
    topic: givenTopic(parts, request.topic),
    key: given(request.key),
    type: given(request.type),
    since: request.deadSince && dateOf(request.deadSince),
    until: request.deadUntil && dateOf(request.deadUntil),
  };
  const filter = JSON.stringify(["dead-letters", ...Object.values(wanted).map(String)]);
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, filter, ROW_KEY);
  const rows = await listDeadLetters(parts.db, parts.service, wanted, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.id, filter);
  return { deadLetters: page.map(toDeadLetter), nextPageToken };
}

export async function getDeadLetter(parts: EventAdminParts, { eventId }: GetDeadLetterRequest) {
  const row = await findDeadLetter(parts.db, parts.service, eventId);
  if (row === undefined) throw noDeadLetter(eventId);
  const schema = parts.consumer()?.parts.app.subscriptions.get(row.topic)?.schema;
  return {
    deadLetter: toDeadLetter(row),
    error: row.error ?? "",
    content: toContent(row, schema),
  };
}

const noDeadLetter = (eventId: string): Refusal =>
  new Refusal("not_found", `there is no dead letter ${eventId}`, { field: "event_id" });

export async function replayDeadLettersOf(
  parts: EventAdminParts,
  request: ReplayDeadLettersRequest,
  context: HandlerContext,
) {
  const { db, service } = parts;
  const target = targetOf(parts, request);
  const found = await countDeadLetters(db, service, target);
  // A second call finds nothing, as it should; an event that never came here is a mistake.
  if (found === 0 && "eventId" in target && !(await wasTaken(db, service, target.eventId)))
    throw noDeadLetter(target.eventId);
  if (request.dryRun) return { eventCount: BigInt(found) };
  const { reason } = request;
  const { reason: _, ...subject } = toJson(ReplayDeadLettersRequestSchema, request) as JsonObject;
  const events = await change(parts, context, { subject, reason }, async (tx) => {
    const replayed = await replayDeadLetters(tx, service, target);
    return { events: replayed, result: replayed };
  });
  parts.consumer()?.wake();
  return { eventCount: BigInt(events) };
}

function targetOf(parts: EventAdminParts, request: ReplayDeadLettersRequest): DeadLetterTarget {
  const { eventId, eventKey, deadSince } = request;
  if (eventKey !== undefined) return { topic: fullTopic(parts, eventKey.topic), key: eventKey.key };
  return deadSince === undefined ? { eventId } : { since: dateOf(deadSince) };
}

export async function skipDeadLetterOf(
  parts: EventAdminParts,
  { eventId, reason }: SkipDeadLetterRequest,
  context: HandlerContext,
) {
  const head = await change(parts, context, { subject: { eventId }, reason }, async (tx) => {
    const skipped = await skipDeadLetter(tx, parts.service, eventId);
    if (skipped.outcome === "not_found") throw noDeadLetter(eventId);
    if (skipped.outcome === "not_dead") {
      const message =
        "this event is not dead: it is tried again by itself, or waits for one before it";
      throw new Refusal("failed_precondition", message, { field: "event_id" });
    }
    return { events: 1, result: skipped.head };
  });
  parts.consumer()?.wake();
  return { ...(head !== undefined && { heldKey: toHeldKey(head) }) };
}

const ROW_STATES = {
  [HeldState.UNSPECIFIED]: undefined,
  [HeldState.WAITING]: "waiting",
  [HeldState.DEAD]: "dead",
} as const;

export async function listHeldKeysPage(parts: EventAdminParts, request: ListHeldKeysRequest) {
  const wanted = { topic: givenTopic(parts, request.topic), state: ROW_STATES[request.state] };
  const filter = JSON.stringify(["held-keys", wanted.topic, wanted.state]);
  const size = pageSizeOf(request.pageSize);
  const after = readPageToken(request.pageToken, filter, ROW_KEY);
  const rows = await listHeldKeys(parts.db, parts.service, wanted, { after, limit: size + 1 });
  const { page, nextPageToken } = cutPage(rows, size, (row) => row.id, filter);
  return { heldKeys: page.map(toHeldKey), nextPageToken };
}

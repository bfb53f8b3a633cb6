// Rows of the event layer to messages of the contract.
import { create, fromBinary, toJson, type JsonObject, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AuditEntrySchema,
  DeadLetterSchema,
  EventContentSchema,
  HeldKeySchema,
  HeldState,
  ParkedEventSchema,
  type AuditEntry,
  type DeadLetter,
  type EventContent,
  type HeldKey,
  type ParkedEvent,
} from "../../../gen/waybill/event/v1/event_admin_pb.js";
import type { AuditRow } from "../events/audit.ts";
import type { StoredHeaders } from "../events/cloud-event.ts";
import type { DeadLetterContent, DeadLetterRow } from "../events/dead-letter.ts";
import type { HeldKeyRow } from "../events/held-key.ts";
import type { ParkedRow } from "../events/parked.ts";

export const toDeadLetter = (row: DeadLetterRow): DeadLetter =>
  create(DeadLetterSchema, {
    eventId: row.event_id,
    topic: row.topic,
    key: row.key,
    type: row.type,
    sequence: BigInt(row.seq),
    partition: row.partition,
    offset: BigInt(row.offset),
    reason: row.reason,
    attemptCount: row.attempts,
    laterEventCount: BigInt(row.later),
    createTime: timestampFromMs(row.create_ms),
    deadTime: timestampFromMs(row.dead_ms),
  });

/** The value is read by the schema of its topic; without one, or where it is no such message, it stays as it is. */
export function toContent(
  { headers, payload }: DeadLetterContent,
  schema: GenMessage<Message> | undefined,
): EventContent {
  return create(EventContentSchema, {
    headers: Object.entries(headers).map(([name, value]) => ({ name, value: headerValue(value) })),
    value: payload === null ? { case: undefined } : valueOf(payload, schema),
  });
}

const headerValue = (value: StoredHeaders[string]) =>
  typeof value === "string"
    ? { case: "text" as const, value }
    : { case: "binary" as const, value: Buffer.from(value.base64, "base64") };

function valueOf(payload: Uint8Array, schema: GenMessage<Message> | undefined) {
  const message = schema && readable(payload, schema);
  return message === undefined
    ? { case: "payload" as const, value: payload }
    : { case: "message" as const, value: message };
}

function readable(payload: Uint8Array, schema: GenMessage<Message>): JsonObject | undefined {
  try {
    return toJson(schema, fromBinary(schema, payload)) as JsonObject;
  } catch {
    return undefined; // that it cannot be read may be why it is dead
  }
}

const HELD_STATES = { waiting: HeldState.WAITING, dead: HeldState.DEAD } as const;

export const toHeldKey = (row: HeldKeyRow): HeldKey =>
  create(HeldKeySchema, {
    topic: row.topic,
    key: row.key,
    state: HELD_STATES[row.state],
    headEventId: row.event_id,
    headType: row.type,
    reason: row.reason,
    laterEventCount: BigInt(row.later),
    createTime: timestampFromMs(row.create_ms),
    ...(row.due_ms !== null && { dueTime: timestampFromMs(row.due_ms) }),
  });

export const toParkedEvent = (row: ParkedRow): ParkedEvent =>
  create(ParkedEventSchema, {
    eventId: row.event_id,
    topic: row.topic,
    key: row.aggregate_id,
    type: row.type,
    sequence: BigInt(row.seq),
    payloadSizeBytes: BigInt(row.bytes),
    reason: row.reason,
    createTime: timestampFromMs(row.create_ms),
    parkTime: timestampFromMs(row.park_ms),
  });

export const toAuditEntry = (row: AuditRow): AuditEntry =>
  create(AuditEntrySchema, {
    id: row.id,
    actor: row.actor,
    action: row.action,
    subject: row.subject as JsonObject,
    reason: row.reason,
    eventCount: BigInt(row.events),
    createTime: timestampFromDate(row.createTime),
  });

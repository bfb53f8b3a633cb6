// A record of a topic, read as the contract says. Nothing here throws: a record that cannot be read is malformed.
import { createHash } from "node:crypto";
import { fromBinary, hasOption, type DescMessage, type Message } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { name as eventName } from "../../../gen/waybill/event/v1/options_pb.js";
import { readableText, readHeaders } from "./cloud-event.ts";
import { storable } from "./failure.ts";
import type { InRecord } from "./ports.ts";
import type { EventMeta } from "./subscription.ts";

type Content =
  | { readonly kind: "event"; readonly message: Message }
  /** The writer's contract is newer than ours. */
  | { readonly kind: "unknown"; readonly reason: string }
  | { readonly kind: "malformed"; readonly error: Error };

export interface ReceivedEvent {
  readonly meta: EventMeta;
  readonly record: InRecord;
  readonly content: Content;
}

const validator = createValidator();

export function receive(record: InRecord, schema: DescMessage): ReceivedEvent {
  const attributes = readHeaders(record.headers);
  const eventId = attributes.id ?? placeId(record);
  const meta: EventMeta = {
    eventId,
    type: storable(attributes.type),
    key: (record.key === null ? undefined : readableText(record.key)) ?? eventId,
    sequence: attributes.sequence,
    time: attributes.time,
    traceparent: attributes.traceparent,
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
  };
  if (attributes.id === undefined)
    return { meta, record, content: malformed("The record has no ce_id that is a UUID.") };
  if (record.key === null) return { meta, record, content: malformed("The record has no key.") };
  return { meta, record, content: read(record.value, schema, meta.type) };
}

function read(value: Uint8Array | null, schema: DescMessage, type: string): Content {
  if (value === null) return malformed("The record has no value.");
  let message: Message;
  try {
    message = fromBinary(schema, value);
  } catch (error) {
    return malformed(`The value is no ${schema.typeName}.`, error);
  }
  if (holdsUnknownCase(schema, message)) {
    return {
      kind: "unknown",
      reason: `this version knows no "${type}" in a ${schema.typeName}`,
    };
  }
  const verdict = validator.validate(schema, message);
  if (verdict.kind === "valid") return { kind: "event", message };
  return malformed(`The ${schema.typeName} breaks the contract: ${verdict.error.message}`);
}

const malformed = (message: string, cause?: unknown): Content => ({
  kind: "malformed",
  error: new Error(message, { cause }),
});

/** The oneof of the events is empty, and the message has fields that we do not know: one of those is the case. */
function holdsUnknownCase(schema: DescMessage, message: Message): boolean {
  if ((message.$unknown?.length ?? 0) === 0) return false;
  const cases = new Map(Object.entries(message));
  return schema.oneofs.some((oneof) => {
    if (!oneof.fields.some((field) => hasOption(field, eventName))) return false;
    const chosen: unknown = cases.get(oneof.localName);
    return (
      typeof chosen === "object" && chosen !== null && "case" in chosen && chosen.case === undefined
    );
  });
}

/** The ID of a record that brings none: made of its place, so that every delivery gets the same (UUID version 8). */
function placeId(record: InRecord): string {
  const place = `${record.topic}/${record.partition}/${record.offset}`;
  const hex = createHash("sha256").update(place).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

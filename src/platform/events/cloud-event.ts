// CloudEvents on Kafka, binary content mode: attributes are headers, the value is the bare message.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md

/** Header name to text, as the outbox stores it. */
export type HeaderTexts = Readonly<Record<string, string>>;

export interface EventAttributes {
  readonly id: string | undefined;
  readonly type: string;
  /** 1, 2, 3 … per topic and key; 0 where the sender gave none. */
  readonly sequence: bigint;
  readonly time: Date | undefined;
  readonly traceparent: string | undefined;
}

/** The headers that are known when an event is published; its ID, type and sequence have columns of their own. */
export function storedHeaders(o: {
  source: string;
  dataSchema: string;
  time: Date;
  traceparent: string | undefined;
}): HeaderTexts {
  return {
    "content-type": "application/protobuf",
    ce_specversion: "1.0",
    ce_source: o.source,
    ce_time: o.time.toISOString(),
    ce_dataschema: o.dataSchema,
    ...(o.traceparent === undefined ? {} : { traceparent: o.traceparent }),
  };
}

/** The headers of a record on its way out. */
export function wireHeaders(
  event: { id: string; type: string; sequence: string },
  stored: HeaderTexts,
): ReadonlyMap<string, Uint8Array> {
  const texts = { ...stored, ce_id: event.id, ce_type: event.type, ce_sequence: event.sequence };
  return new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, "utf8")]));
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const digits = /^[0-9]{1,18}$/;

/** What the headers of a received record say. What is missing or malformed is undefined: nothing throws. */
export function readHeaders(headers: ReadonlyMap<string, Uint8Array>): EventAttributes {
  const text = (name: string): string | undefined => {
    const value = headers.get(name);
    return value === undefined ? undefined : readableText(value);
  };
  const id = text("ce_id");
  const sequence = text("ce_sequence");
  const time = new Date(text("ce_time") ?? Number.NaN);
  return {
    id: id !== undefined && uuid.test(id) ? id.toLowerCase() : undefined,
    type: text("ce_type") ?? "",
    sequence: sequence !== undefined && digits.test(sequence) ? BigInt(sequence) : 0n,
    time: Number.isNaN(time.getTime()) ? undefined : time,
    traceparent: text("traceparent"),
  };
}

const strict = new TextDecoder("utf-8", { fatal: true });

/** Bytes as text that PostgreSQL can store: UTF-8 without NUL. Undefined for anything else. */
export function readableText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return strict.decode(bytes);
  } catch {
    return undefined; // not UTF-8: the caller has another way to keep it
  }
}

type StoredHeader = string | { readonly base64: string };
export type StoredHeaders = Readonly<Record<string, StoredHeader>>;

/** Headers as JSON that loses nothing: what is not text is kept in base64. */
export function headersToJson(headers: ReadonlyMap<string, Uint8Array>): StoredHeaders {
  const kept = (bytes: Uint8Array): StoredHeader =>
    readableText(bytes) ?? { base64: Buffer.from(bytes).toString("base64") };
  return Object.fromEntries(
    [...headers].map(([name, bytes]) => [name.replaceAll("\0", "\uFFFD"), kept(bytes)]),
  );
}

export function headersFromJson(stored: StoredHeaders): ReadonlyMap<string, Uint8Array> {
  return new Map(
    Object.entries(stored).map(([name, value]) => [
      name,
      typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value.base64, "base64"),
    ]),
  );
}

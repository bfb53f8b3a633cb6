// Records as the Kafka client library gives and takes them, and as the ports do.
import type { InRecord, OutRecord } from "./ports.ts";

/** A header as the library reads it: one that is there more than once is a list, one without a value null. */
type ReadHeader = Buffer | string | (Buffer | string)[] | null | undefined;

/** The part of the library's message that is read. */
export interface ReadMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: { [name: string]: ReadHeader };
}

export const inRecord = (topic: string, partition: number, message: ReadMessage): InRecord => ({
  topic,
  partition,
  offset: BigInt(message.offset),
  key: message.key,
  value: message.value,
  headers: headerMap(message.headers ?? {}),
});

/** The library's message: it takes bytes as Buffers, which share the memory here. */
export const outMessage = ({ key, value, headers }: OutRecord) => ({
  key: buffer(key),
  value: buffer(value),
  headers: Object.fromEntries([...headers].map(([name, bytes]) => [name, buffer(bytes)])),
});

const buffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function headerMap(headers: { [name: string]: ReadHeader }): InRecord["headers"] {
  const map = new Map<string, Uint8Array>();
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last === undefined || last === null) continue;
    map.set(name, typeof last === "string" ? Buffer.from(last, "utf8") : last);
  }
  return map;
}

// CloudEvents headers: what is written is read again, and what is not text is not lost.
import { expect, test } from "vitest";
import {
  headersFromJson,
  headersToJson,
  readHeaders,
  storedHeaders,
  wireHeaders,
} from "./cloud-event.ts";

const id = "0198c3f2-7b1a-7c3e-9f10-0123456789ab";
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("an event's headers say on arrival what they said when it was published", () => {
  const time = new Date("2026-01-02T03:04:05.678Z");
  const stored = storedHeaders({
    source: "/waybill/order",
    dataSchema: "x.v1.Event",
    time,
    traceparent,
  });
  const wire = wireHeaders({ id, type: "order.created", sequence: "12" }, stored);
  expect(readHeaders(wire)).toEqual({
    id,
    type: "order.created",
    sequence: 12n,
    time,
    traceparent,
  });
  expect(Buffer.from(wire.get("ce_specversion") ?? []).toString()).toBe("1.0");
  expect(Buffer.from(wire.get("content-type") ?? []).toString()).toBe("application/protobuf");
  expect(Buffer.from(wire.get("ce_dataschema") ?? []).toString()).toBe("x.v1.Event");
});

test("an event outside of any trace has no traceparent", () => {
  const stored = storedHeaders({
    source: "/s",
    dataSchema: "x",
    time: new Date(0),
    traceparent: undefined,
  });
  expect(Object.keys(stored)).not.toContain("traceparent");
});

test("headers that are missing or malformed are undefined, never an error", () => {
  const none = { id: undefined, type: "", sequence: 0n, time: undefined, traceparent: undefined };
  expect(readHeaders(new Map())).toEqual(none);
  const bad = new Map([
    ["ce_id", Buffer.from("42")],
    ["ce_sequence", Buffer.from("1e3")],
    ["ce_time", Buffer.from("yesterday")],
    ["ce_type", Buffer.from([0xff])],
    ["traceparent", Buffer.from("a\0b")],
  ]);
  expect(readHeaders(bad)).toEqual(none);
});

test("headers that are no text outlive storage as JSON", () => {
  const headers = new Map<string, Uint8Array>([
    ["text", Buffer.from("größe")],
    ["bytes", Buffer.from([0, 255, 1])],
  ]);
  const again = headersFromJson(headersToJson(headers));
  expect([...again].map(([name, value]) => [name, [...value]])).toEqual(
    [...headers].map(([name, value]) => [name, [...value]]),
  );
});

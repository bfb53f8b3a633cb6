// Events of every release are read by the code of today as they were meant, and written again as they were.
import { fromBinary, isFieldSet, toBinary, toJson, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { FieldDescriptorProto_Type, FieldDescriptorProtoSchema, type DescriptorProto } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { NotificationEventSchema } from "../../gen/waybill/notification/v1/notification_event_pb.js";
import { OrderEventSchema } from "../../gen/waybill/order/v1/order_event_pb.js";
import { PaymentEventSchema } from "../../gen/waybill/payment/v1/payment_event_pb.js";
import { PaymentStatusEventSchema } from "../../gen/waybill/payment/v1/payment_status_event_pb.js";
import { receive } from "../../src/platform/events/received.ts";
import { editedContract, messageIn, type Draft } from "./edited.ts";
import { readGolden, type GoldenSample } from "./golden-file.ts";
import { eventsOf, readReleased } from "./released.ts";

const ID = "0198c3f2-7b1a-7c3e-9f10-0123456789ab";
const today = new Map<string, DescMessage>(
  [OrderEventSchema, PaymentEventSchema, PaymentStatusEventSchema, NotificationEventSchema].map(
    (schema) => [schema.typeName, schema],
  ),
);
const released = readReleased();
const golden = readGolden();
const everySample = [...golden].flatMap(([event, { message, samples }]) =>
  samples.map((sample, at) => ({ name: `${event} ${at}: ${sample.holds}`, message, sample })),
);

const bytesOf = ({ bytes }: GoldenSample) => Buffer.from(bytes, "base64");
const read = (schema: DescMessage, sample: GoldenSample) => fromBinary(schema, bytesOf(sample));

function schemaOf(message: string): DescMessage {
  const schema = today.get(message);
  if (schema === undefined) throw new Error(`${message} was released, and is gone.`);
  return schema;
}

/** Where a message, or one in it, holds fields that the descriptor does not know. */
function unknownIn(schema: DescMessage, message: Message): string[] {
  const inside = (found: ReflectMessage): string[] => [
    ...(found.getUnknown() ?? []).map(({ no }) => `${found.desc.typeName}: field ${no}`),
    ...found.fields.flatMap((field) => {
      if (field.fieldKind === "message" && found.isSet(field)) return inside(found.get(field));
      if (field.fieldKind !== "list" || field.listKind !== "message") return [];
      return [...found.get(field)].flatMap((item) => inside(item as ReflectMessage));
    }),
  ];
  return inside(reflect(schema, message));
}

/** Sets every enum of a message, the deepest too, to a number. */
function setEnums(message: ReflectMessage, number: number): void {
  for (const field of message.fields) {
    if (field.fieldKind === "enum" && message.isSet(field)) message.set(field, number);
    if (field.fieldKind === "message" && message.isSet(field)) setEnums(message.get(field), number);
  }
}

/** A record with this value, as a consumer receives it. */
function contentOf(schema: DescMessage, value: Uint8Array) {
  const headers = new Map([["ce_id", Buffer.from(ID)]]);
  const place = { topic: "t", partition: 0, offset: 0n, key: Buffer.from(ID) };
  return receive({ ...place, value, headers }, schema).content;
}

/** What a version of the contract does with what an older one wrote: nothing of it may be a fault. */
function faultsOf(schema: DescMessage, sample: GoldenSample): string[] {
  const value = bytesOf(sample);
  const content = contentOf(schema, value);
  if (content.kind === "malformed") return [`dead: ${content.error.message}`];
  if (content.kind === "unknown") return [`skipped: ${content.reason}`];
  const written = Buffer.from(toBinary(schema, content.message));
  const reads = JSON.stringify(toJson(schema, content.message));
  return [
    ...unknownIn(schema, content.message),
    ...(reads === JSON.stringify(sample.reads) ? [] : [`read as ${reads}`]),
    ...(written.equals(value) ? [] : ["written otherwise"]),
  ];
}

test("every event that was released has golden bytes", () => {
  const missing = eventsOf(released)
    .filter(({ name, message }) => golden.get(name)?.message !== message.typeName)
    .map(({ name }) => name);
  expect(missing, "run `node dev/contract/golden.ts`, and commit what it writes").toEqual([]);
});

test("the newest golden bytes hold every field of what was released", () => {
  for (const { name, message, field } of eventsOf(released)) {
    const fullest = golden.get(name)?.samples.findLast(({ holds }) => holds === "every field");
    if (fullest === undefined) throw new Error(`${name} has none`);
    const found = reflect(message, read(message, fullest));
    const unset = (one: ReflectMessage): string[] =>
      one.fields.flatMap((part) => {
        if (part.oneof !== undefined && part !== field) return [];
        if (!one.isSet(part)) return [String(part)];
        return part.fieldKind === "message" ? unset(one.get(part)) : [];
      });
    expect(unset(found), "run `node dev/contract/golden.ts`").toEqual([]);
  }
});

describe.each(everySample)("$name", ({ message, sample }) => {
  test("is accepted, read as it was meant, and written again to the byte", () => {
    expect(faultsOf(schemaOf(message), sample)).toEqual([]);
  });

  test("is accepted with values of its enums that no version has yet", () => {
    const schema = schemaOf(message);
    const event = reflect(schema, read(schema, sample));
    setEnums(event, 9_999);
    expect(contentOf(schema, toBinary(schema, event.message)).kind).toBe("event");
  });

  test("is read by the released contract as by the code of today", () => {
    const schema = messageIn(released, message);
    expect(toJson(schema, read(schema, sample))).toEqual(sample.reads);
  });
});

/** Each with one thing changed that must not be. */
describe("golden bytes notice", () => {
  const EVENT = PaymentStatusEventSchema.typeName;
  const UPDATED = "waybill.payment.v1.PaymentStatusUpdated";
  const sample = golden.get("payment.status-updated")?.samples[0];
  if (sample === undefined) throw new Error("payment.status-updated has no golden bytes");

  const after = (edit: (draft: Draft) => void): string[] =>
    faultsOf(messageIn(editedContract([PaymentStatusEventSchema], edit), EVENT), sample);
  const CASE_OF = FieldDescriptorProtoSchema.field.oneofIndex;
  const fieldOf = (message: DescriptorProto, name: string) => {
    const field = message.field.find((one) => one.name === name);
    if (field === undefined) throw new Error(`there is no ${name}`);
    return field;
  };

  test("nothing, where nothing changed", () => {
    expect(after(() => undefined)).toEqual([]);
  });

  test("another number", () => {
    const faults = after((draft) => {
      fieldOf(draft.message(UPDATED), "decline_code").number = 9;
    });
    expect(faults).toContain(`${UPDATED}: field 4`);
  });

  test("another type", () => {
    const faults = after((draft) => {
      fieldOf(draft.message(UPDATED), "attempt_number").type = FieldDescriptorProto_Type.SINT32;
    });
    expect(faults).toEqual([expect.stringContaining("read as")]);
  });

  test("another name", () => {
    const faults = after((draft) => {
      const field = fieldOf(draft.message(UPDATED), "decline_code");
      Object.assign(field, { name: "reason", jsonName: "reason" });
    });
    expect(faults).toEqual([expect.stringContaining('"reason"')]);
  });

  test("a rule that an event on a topic does not meet", () => {
    const faults = after((draft) => {
      const { options } = fieldOf(draft.message(EVENT), "payment_id"); // that it is a UUID
      if (options) fieldOf(draft.message(EVENT), "customer_id").options = options;
    });
    expect(faults).toEqual([expect.stringContaining("dead: ")]);
  });

  test("the cases that are gone", () => {
    const faults = after((draft) => {
      const event = draft.message(EVENT);
      event.field = event.field.filter((field) => !isFieldSet(field, CASE_OF));
      event.oneofDecl.pop();
    });
    expect(faults).toContain(`${EVENT}: field 10`);
  });
});

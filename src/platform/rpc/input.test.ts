// What no request may hold is found wherever it is, named, and not repeated.
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import {
  DurationSchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { describe, expect, test } from "vitest";
import { SendSMSRequestSchema } from "../../../gen/waybill/notification/v1/notification_service_pb.js";
import { PutProductRequestSchema } from "../../../gen/waybill/order/v1/catalog_service_pb.js";
import {
  CreateOrderRequestSchema,
  ListOrdersRequestSchema,
} from "../../../gen/waybill/order/v1/order_service_pb.js";
import { InitiatePaymentRequestSchema } from "../../../gen/waybill/payment/v1/payment_service_pb.js";
import { TimelineEntrySchema } from "../../../gen/waybill/timeline/v1/timeline_pb.js";
import { inputViolations } from "./input.ts";

const CARD = "4242 4242 4242 4242";

/** "field: rule", of each. */
function found<S extends DescMessage>(schema: S, init: MessageInitShape<S>): string[] {
  const violations = inputViolations(schema, create(schema, init));
  for (const { message } of violations) expect(message).not.toContain("4242");
  return violations.map(({ field, ruleId }) => `${pathToString(field)}: ${ruleId}`);
}

describe("a card number is found", () => {
  test("in a field, with the way out", () => {
    const request = create(CreateOrderRequestSchema, { paymentMethod: "4242424242424242" });

    const [violation] = inputViolations(CreateOrderRequestSchema, request);

    expect(violation?.message).toBe(
      "must not be a card number: pass a payment method of Stripe, pm_…",
    );
  });

  test("in nested messages", () => {
    expect(found(CreateOrderRequestSchema, { contact: { email: CARD, locale: CARD } })).toEqual([
      "contact.email: card_number",
      "contact.locale: card_number",
    ]);
  });

  test("in a whole number of 64 bits", () => {
    expect(
      found(CreateOrderRequestSchema, { expectedTotal: { minorUnits: 4242424242424242n } }),
    ).toEqual(["expected_total.minor_units: card_number"]);
  });

  test("in values of maps, and in their keys, which are not repeated", () => {
    expect(found(TimelineEntrySchema, { references: { note: CARD } })).toEqual([
      'references["note"]: card_number',
    ]);
    expect(found(TimelineEntrySchema, { references: { [CARD]: "x" } })).toEqual([
      "references: card_number",
    ]);
  });

  test("in free JSON and in wrapped texts", () => {
    expect(inputViolations(StructSchema, create(StructSchema, { fields: {} })).length).toBe(0);
    const list = {
      kind: {
        case: "listValue",
        value: { values: [{ kind: { case: "stringValue", value: CARD } }] },
      },
    };
    expect(found(StructSchema, { fields: { a: list } } as never)).toHaveLength(1);
    expect(found(StringValueSchema, { value: CARD })).toHaveLength(1);
  });
});

describe("no card number is", () => {
  test("what looks like one in a field that says so: phone numbers, IDs and keys", () => {
    expect(
      found(CreateOrderRequestSchema, {
        requestId: CARD,
        items: [{ sku: "4006381333931", quantity: 1 }],
        contact: { phoneNumber: "4915112345675" },
      }),
    ).toEqual([]);
    expect(found(InitiatePaymentRequestSchema, { customerId: CARD })).toEqual([]);
    expect(found(SendSMSRequestSchema, { to: CARD, text: "hello" })).toEqual([]);
  });

  test("a text that only holds one, for people must be able to write what they like", () => {
    expect(found(PutProductRequestSchema, { name: `Toy card ${CARD}` })).toEqual([]);
  });
});

test("a NUL character is found, in an exempt field too", () => {
  expect(found(PutProductRequestSchema, { name: "a\0b", sku: "\0" })).toEqual([
    "sku: string.nul",
    "name: string.nul",
  ]);
});

test.each([
  { seconds: -62_135_596_801n },
  { seconds: 253_402_300_800n },
  { nanos: -1 },
  { nanos: 1_000_000_000 },
  { seconds: 2n ** 63n - 1n },
])("a time that is none is found: %o", (time) => {
  expect(found(ListOrdersRequestSchema, { createTimeFrom: create(TimestampSchema, time) })).toEqual(
    ["create_time_from: timestamp.range"],
  );
});

test.each([{ seconds: 2n ** 62n }, { seconds: 1n, nanos: -1 }, { nanos: 1_000_000_000 }])(
  "a duration that is none is found: %o",
  (duration) => {
    expect(found(DurationSchema, duration)).toEqual([": duration.range"]);
  },
);

test("the first and the last time are times", () => {
  const from = create(TimestampSchema, { seconds: -62_135_596_800n });
  const before = create(TimestampSchema, { seconds: 253_402_300_799n, nanos: 999_999_999 });

  expect(
    found(ListOrdersRequestSchema, { createTimeFrom: from, createTimeBefore: before }),
  ).toEqual([]);
});

// What no request may hold, whichever its contract: checked before the contract's own rules, by the descriptors alone.
import { getOption, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import {
  isReflectMessage,
  reflect,
  type Path,
  type ReflectMessage,
} from "@bufbuild/protobuf/reflect";
import {
  createValidator,
  ValidationError,
  Violation,
  type Validator,
} from "@bufbuild/protovalidate";
import { may_look_like_card } from "../../../gen/waybill/input/v1/options_pb.js";
import { isCardNumber } from "../card-number.ts";

/** google/protobuf/timestamp.proto: from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z. In seconds. */
const TIMESTAMP_SECONDS = { min: -62_135_596_800n, max: 253_402_300_799n };
/** google/protobuf/duration.proto: about 10,000 years. In seconds. */
const DURATION_SECONDS = { min: -315_576_000_000n, max: 315_576_000_000n };
const MAX_NANOS = 999_999_999;

type MapKey = string | number | bigint | boolean;

interface Fault {
  readonly rule: string;
  readonly message: string;
}

/** The words never hold the value. */
const CARD_NUMBER: Fault = {
  rule: "card_number",
  message: "must not be a card number: pass a payment method of Stripe, pm_…",
};
/** PostgreSQL stores every text but one with a NUL. */
const NUL: Fault = { rule: "string.nul", message: "must not hold a NUL character" };
const TIMESTAMP: Fault = {
  rule: "timestamp.range",
  message: "must be a time of the years 0001 to 9999, with nanos from 0 to 999999999",
};
const DURATION: Fault = {
  rule: "duration.range",
  message: "must be less than 10,000 years, with nanos from 0 to 999999999, of the same sign",
};

/** protovalidate's validator behind the check of this file. A message that breaks both is told of this one alone. */
export function createInputValidator(): Validator {
  const contract = createValidator();
  return {
    validate: (schema, message) => {
      const violations = inputViolations(schema, message);
      return violations.length === 0
        ? contract.validate(schema, message)
        : { kind: "invalid", message, error: new ValidationError(violations), violations };
    },
  };
}

/**
 * Card numbers in fields that are not exempt by (waybill.input.v1.may_look_like_card), NUL characters, and times that are none;
 * in nested messages, lists, and the keys and values of maps, too.
 */
export function inputViolations(schema: DescMessage, message: Message): Violation[] {
  const found: Violation[] = [];
  inMessage(reflect(schema, message), [], found);
  return found;
}

function inMessage(message: ReflectMessage, path: Path, found: Violation[]): void {
  const fault = timeFault(message);
  if (fault !== undefined) return report(fault, path, found);
  for (const field of message.fields) {
    if (message.isSet(field)) inField(message, field, { path: [...path, field], found });
  }
}

interface Search {
  readonly path: Path;
  readonly found: Violation[];
}

function inField(message: ReflectMessage, field: DescField, { path, found }: Search): void {
  const exempt = getOption(field, may_look_like_card);
  if (field.fieldKind === "list") {
    for (const [index, item] of [...message.get(field)].entries())
      inValue(item, exempt, { path: [...path, { kind: "list_sub", index }], found });
  } else if (field.fieldKind === "map") {
    for (const [key, value] of message.get(field)) {
      // The path of an entry would repeat its key.
      const keyFault = faultOf(key, exempt);
      if (keyFault !== undefined) report(keyFault, path, found);
      else
        inValue(value, exempt, { path: [...path, { kind: "map_sub", key: key as MapKey }], found });
    }
  } else {
    inValue(message.get(field), exempt, { path, found });
  }
}

function inValue(value: unknown, exempt: boolean, { path, found }: Search): void {
  if (isReflectMessage(value)) return inMessage(value, path, found);
  const fault = faultOf(value, exempt);
  if (fault !== undefined) report(fault, path, found);
}

/** Of a text, or of a whole number of 64 bits, which JSON writes as a text too. */
function faultOf(value: unknown, exempt: boolean): Fault | undefined {
  if (typeof value === "string" && value.includes("\0")) return NUL;
  const text = typeof value === "bigint" ? String(value) : value;
  return typeof text === "string" && !exempt && isCardNumber(text) ? CARD_NUMBER : undefined;
}

/** JSON has no such times; in the binary format they can be written. */
function timeFault({ desc, message }: ReflectMessage): Fault | undefined {
  const { seconds, nanos } = message as Message & { seconds: bigint; nanos: number };
  if (desc.typeName === "google.protobuf.Timestamp") {
    const { min, max } = TIMESTAMP_SECONDS;
    return seconds < min || seconds > max || nanos < 0 || nanos > MAX_NANOS ? TIMESTAMP : undefined;
  }
  if (desc.typeName === "google.protobuf.Duration") {
    const { min, max } = DURATION_SECONDS;
    const mixed = (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0);
    return seconds < min || seconds > max || Math.abs(nanos) > MAX_NANOS || mixed
      ? DURATION
      : undefined;
  }
  return undefined;
}

const report = ({ rule, message }: Fault, path: Path, found: Violation[]): void =>
  void found.push(new Violation(message, rule, path, [], false));

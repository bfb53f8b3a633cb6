// What a message breaks of its contract, as the google.rpc.BadRequest that clients of every language can read.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { ValidationError, Violation } from "@bufbuild/protovalidate";
import type { BadRequest_FieldViolationSchema } from "../../../gen/google/rpc/error_details_pb.js";

type FieldViolation = MessageInitShape<typeof BadRequest_FieldViolationSchema> & {
  readonly field: string;
  readonly description: string;
};

/** How many violations an answer tells; the rest would only make it long. */
const VIOLATION_LIMIT = 100;

/** The violations with their fields as paths in proto names, `items[0].quantity`; an empty path is the message itself. */
export const fieldViolationsOf = (error: ValidationError): FieldViolation[] =>
  error.violations.slice(0, VIOLATION_LIMIT).map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message || `breaks the rule ${violation.ruleId}`,
    reason: reasonOf(violation),
  }));

/** UPPER_SNAKE_CASE, as google.rpc asks for: the rule "int32.gte" gives INT32_GTE. */
const reasonOf = (violation: Violation): string =>
  violation.ruleId
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, "_")
    .slice(0, 63);

/** One sentence for all of them. */
export const sentenceOf = (violations: readonly FieldViolation[]): string =>
  violations
    .map(({ field, description }) => (field === "" ? description : `${field}: ${description}`))
    .join("; ");

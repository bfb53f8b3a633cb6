// Errors as a plain HTTP caller reads them: RFC 9457 problem documents with the code and the fields.
import { STATUS_CODES } from "node:http";
import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.js";
import { type ErrorCode, TranscoderError, type Violation } from "./error.ts";
import { fieldNamed } from "./field-path.ts";

/** The canonical table of google/rpc/code.proto. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  aborted: 409,
  already_exists: 409,
  canceled: 499,
  data_loss: 500,
  deadline_exceeded: 504,
  failed_precondition: 400,
  internal: 500,
  invalid_argument: 400,
  not_found: 404,
  out_of_range: 400,
  permission_denied: 403,
  resource_exhausted: 429,
  unauthenticated: 401,
  unavailable: 503,
  unimplemented: 501,
  unknown: 500,
};

const CODES: Readonly<Record<Code, ErrorCode>> = {
  [Code.Aborted]: "aborted",
  [Code.AlreadyExists]: "already_exists",
  [Code.Canceled]: "canceled",
  [Code.DataLoss]: "data_loss",
  [Code.DeadlineExceeded]: "deadline_exceeded",
  [Code.FailedPrecondition]: "failed_precondition",
  [Code.Internal]: "internal",
  [Code.InvalidArgument]: "invalid_argument",
  [Code.NotFound]: "not_found",
  [Code.OutOfRange]: "out_of_range",
  [Code.PermissionDenied]: "permission_denied",
  [Code.ResourceExhausted]: "resource_exhausted",
  [Code.Unauthenticated]: "unauthenticated",
  [Code.Unavailable]: "unavailable",
  [Code.Unimplemented]: "unimplemented",
  [Code.Unknown]: "unknown",
};

/** What is said of an error whose own words were not written for the caller. */
const OPAQUE: Readonly<Partial<Record<ErrorCode, string>>> = {
  canceled: "The call was cancelled.",
  data_loss: "Internal error.",
  deadline_exceeded: "The call took longer than its deadline.",
  internal: "Internal error.",
  unavailable: "The service is not available. Try again later.",
  unknown: "Internal error.",
};

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The caller is not told the error's own words, so whoever runs the gateway should hear them. */
  readonly withheld: boolean;
}

interface Description {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly status?: number | undefined;
  readonly violations?: readonly Violation[] | undefined;
  readonly reason?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly withheld?: boolean;
}

/** `input` is the request message of the RPC that failed, by which proto names become JSON names. */
export function problemOf(error: unknown, requestId: string, input?: DescMessage): Problem {
  const description = describe(error, input);
  const { code, violations, reason } = description;
  const status = description.status ?? STATUS[code];
  const document = {
    type: "about:blank",
    title: status === 499 ? "Client Closed Request" : (STATUS_CODES[status] ?? "Error"),
    status,
    detail: description.detail,
    code,
    ...(violations === undefined || violations.length === 0 ? {} : { violations }),
    ...(reason === undefined || reason === "" ? {} : { reason }),
    request_id: requestId,
  };
  return {
    status,
    headers: {
      ...description.headers,
      // RFC 9110, section 15.5.2: a 401 says how to come again.
      ...(status === 401 && { "www-authenticate": "Bearer" }),
      "content-type": "application/problem+json",
    },
    body: JSON.stringify(document),
    withheld: description.withheld ?? false,
  };
}

function describe(error: unknown, input: DescMessage | undefined): Description {
  if (error instanceof TranscoderError) {
    return { code: error.code, detail: error.message, ...error.detail };
  }
  if (error instanceof ConnectError) return describeConnectError(error, input);
  return { code: "internal", detail: "Internal error.", withheld: true };
}

function describeConnectError(error: ConnectError, input: DescMessage | undefined): Description {
  const code = CODES[error.code];
  // An error with a cause was made on this side of the wire; its words name sockets and addresses.
  const opaque = error.cause !== undefined || ["internal", "unknown", "data_loss"].includes(code);
  const violations = error
    .findDetails(BadRequestSchema)
    .flatMap((bad) => bad.fieldViolations)
    .map(({ field, description }) => ({ field: toJsonNames(input, field), message: description }));
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    code,
    detail: (opaque ? OPAQUE[code] : undefined) ?? error.rawMessage,
    // A caller that went away or ran out of time is no news.
    withheld: opaque && code !== "canceled" && code !== "deadline_exceeded",
    violations,
    reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
    headers: delay === undefined ? undefined : { "retry-after": wholeSeconds(delay) },
  };
}

/** Rounded up: a caller that comes back earlier would be refused again. */
function wholeSeconds(delay: { seconds: bigint; nanos: number }): string {
  return String(delay.seconds + (delay.nanos > 0 ? 1n : 0n));
}

/** `items[0].unit_price` becomes `items[0].unitPrice`; what the request does not know stays as it is. */
function toJsonNames(input: DescMessage | undefined, path: string): string {
  let within = input;
  return path.replaceAll(
    /(\w+)((?:\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\])*)/g,
    (step, name: string, index: string) => {
      const field = within === undefined ? undefined : fieldNamed(within, name);
      within = field?.message;
      return field === undefined ? step : field.jsonName + index;
    },
  );
}

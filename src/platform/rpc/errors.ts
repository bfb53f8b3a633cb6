// The one place that turns what was thrown into what a caller is told.
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ValidationError } from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.js";
import type { Log } from "../log.ts";
import { Refusal, type RefusalCode } from "../refusal.ts";
import { isTransient } from "../transient.ts";
import { CallError, isRetryable } from "./call-error.ts";
import { abortError, isBrokenOff, isOfAbort, throughout } from "./stream.ts";
import { fieldViolationsOf, sentenceOf } from "./violations.ts";

const CODES: Readonly<Record<RefusalCode, Code>> = {
  aborted: Code.Aborted,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  invalid_argument: Code.InvalidArgument,
  not_found: Code.NotFound,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  unauthenticated: Code.Unauthenticated,
};

/** google.rpc.ErrorInfo.domain of the reasons that Waybill gives. */
const REASON_DOMAIN = "waybill";

export interface ErrorOptions {
  /** A gateway passes on what the services behind it answered; a service does not: their NOT_FOUND is not its own. */
  readonly passOn?: boolean;
}

/**
 * What the caller is told: a Refusal its code and message (google.rpc.BadRequest for the field, ErrorInfo for the
 * reason, RetryInfo for the wait), a broken contract INVALID_ARGUMENT with the fields, a passing failure UNAVAILABLE, anything else INTERNAL.
 * The cause of the last two goes into the log, and nowhere else.
 */
export function toConnectError(
  error: unknown,
  log: Log,
  { passOn = false }: ErrorOptions = {},
): ConnectError {
  if (error instanceof Refusal) return refused(error);
  const broken = violationOf(error);
  if (broken) return violated(broken);
  if (error instanceof CallError) return passOn ? passedOn(error, log) : notOurs(error, log);
  // Connect's own word, on a malformed call for instance, or a handler's that speaks its language.
  if (
    error instanceof ConnectError &&
    error.code !== Code.Internal &&
    error.code !== Code.Unknown
  ) {
    return error;
  }
  if (isUnstorable(error)) {
    return new ConnectError("A text holds a NUL character.", Code.InvalidArgument);
  }
  return isTransient(error) ? unavailable(error, log) : internal(error, log);
}

/** SQLSTATE character_not_in_repertoire: PostgreSQL stores every text but one with a NUL. */
const NOT_IN_REPERTOIRE = "22021";

/** The query builder wraps the driver's error. */
const isUnstorable = (error: unknown): boolean =>
  error instanceof Error &&
  [error, error.cause].some(
    (one) => (one as { code?: unknown } | undefined)?.code === NOT_IN_REPERTOIRE,
  );

function refused(error: Refusal): ConnectError {
  const answer = new ConnectError(error.message, CODES[error.code], undefined, undefined, error);
  if (error.field !== undefined) {
    const violation = {
      field: error.field,
      description: error.message,
      reason: error.reason ?? "",
    };
    answer.details.push({ desc: BadRequestSchema, value: { fieldViolations: [violation] } });
  }
  if (error.reason !== undefined) {
    answer.details.push({
      desc: ErrorInfoSchema,
      value: { reason: error.reason, domain: REASON_DOMAIN },
    });
  }
  if (error.retryAfterMs !== undefined) {
    const retryDelay = durationFromMs(error.retryAfterMs);
    answer.details.push({ desc: RetryInfoSchema, value: { retryDelay } });
  }
  return answer;
}

/** The validation interceptor wraps it; a handler that validates by itself throws it bare. */
function violationOf(error: unknown): ValidationError | undefined {
  const inner =
    error instanceof ConnectError && error.code === Code.InvalidArgument ? error.cause : error;
  return inner instanceof ValidationError ? inner : undefined;
}

function violated(error: ValidationError): ConnectError {
  const fieldViolations = fieldViolationsOf(error);
  const detail = { desc: BadRequestSchema, value: { fieldViolations } };
  return new ConnectError(
    sentenceOf(fieldViolations),
    Code.InvalidArgument,
    undefined,
    [detail],
    error,
  );
}

function passedOn(error: CallError, log: Log): ConnectError {
  if (error.code === Code.Unavailable) log.warn({ error, audience: error.audience }, "unavailable");
  return error;
}

const notOurs = (error: CallError, log: Log): ConnectError =>
  isRetryable(error) ? unavailable(error, log) : internal(error, log);

function unavailable(error: unknown, log: Log): ConnectError {
  log.warn({ error }, "unavailable for now");
  return new ConnectError("try again later", Code.Unavailable, undefined, undefined, error);
}

function internal(error: unknown, log: Log): ConnectError {
  log.error({ error }, "internal error");
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

/** Maps everything that the interceptors inside it and the handler throw. */
export const mapErrors =
  (log: Log, options: ErrorOptions): Interceptor =>
  (next) =>
  (request) =>
    throughout(
      () => next(request),
      async (step) => {
        try {
          return await step();
        } catch (error) {
          if (request.signal.aborted && isOfAbort(error, request.signal))
            throw abortError(request.signal);
          if (request.stream && isBrokenOff(error)) {
            throw new ConnectError(
              "the caller has gone",
              Code.Canceled,
              undefined,
              undefined,
              error,
            );
          }
          throw toConnectError(error, log, options);
        }
      },
    );

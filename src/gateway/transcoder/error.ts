// Answers that are not the RPC's: what a caller did wrong with a route, a query, a header or a body.

/** The sixteen codes of gRPC as Connect and problem documents spell them. */
export type ErrorCode =
  | "aborted"
  | "already_exists"
  | "canceled"
  | "data_loss"
  | "deadline_exceeded"
  | "failed_precondition"
  | "internal"
  | "invalid_argument"
  | "not_found"
  | "out_of_range"
  | "permission_denied"
  | "resource_exhausted"
  | "unauthenticated"
  | "unavailable"
  | "unimplemented"
  | "unknown";

/** One field that is wrong. The path is spelled as a JSON caller spells it: `items[0].sku`. */
export interface Violation {
  readonly field: string;
  readonly message: string;
}

export interface ErrorDetail {
  readonly violations?: readonly Violation[];
  /** A word that a program can branch on (google.rpc.ErrorInfo.reason). */
  readonly reason?: string;
  /** The HTTP status where the canonical one of the code says too little: 405, 413, 415. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The request cannot be served as it is. The message is for the caller. */
export class TranscoderError extends Error {
  override readonly name = "TranscoderError";
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}

/** Something wrong with named fields: 400 with each of them, the first one also in the sentence. */
export function invalidFields(what: string, violations: readonly Violation[]): TranscoderError {
  const [first] = violations;
  const because = first === undefined ? "" : `: ${first.field} ${first.message}`;
  return new TranscoderError("invalid_argument", `${what}${because}.`, { violations });
}

export function invalidField(what: string, field: string, message: string): TranscoderError {
  return invalidFields(what, [{ field, message }]);
}

/** A rule of the contract that cannot be served. Thrown at start, never in a request. */
export class HttpRuleError extends Error {
  override readonly name = "HttpRuleError";
}

// How the rules say no. An error vocabulary without transport: src/platform/rpc/errors.ts turns it into codes.

/** Why a rule said no; each is the gRPC code of the same name. A retry of the same request changes nothing. */
export type RefusalCode =
  | "aborted"
  | "already_exists"
  | "failed_precondition"
  | "invalid_argument"
  | "not_found"
  | "permission_denied"
  | "resource_exhausted"
  | "unauthenticated";

export interface RefusalDetail {
  /** The field of the request that broke the rule, as a path in proto names: `items[0].sku`. */
  readonly field?: string;
  /** A word that a program can branch on (google.rpc.ErrorInfo.reason): `IDEMPOTENCY_KEY_REUSED`. */
  readonly reason?: string;
  /** With resource_exhausted: after how many milliseconds the same request may work (google.rpc.RetryInfo). */
  readonly retryAfterMs?: number;
}

/** A rule said no. The message is for the caller: it names what is wrong and the way out. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly field: string | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: RefusalCode, message: string, detail: RefusalDetail = {}) {
    super(message);
    this.code = code;
    this.field = detail.field;
    this.reason = detail.reason;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

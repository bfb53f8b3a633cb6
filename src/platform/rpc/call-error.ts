// What another service answered, or that it could not be reached: an error of a call that this process made.
import { Code, ConnectError } from "@connectrpc/connect";

/** Told apart from a ConnectError of our own, because another service's NOT_FOUND is not ours. */
export class CallError extends ConnectError {
  /** The service that was called: "payment". */
  readonly audience: string;

  private constructor(audience: string, message: string, code: Code, cause: unknown) {
    super(message, code, undefined, undefined, cause);
    this.audience = audience;
  }

  /** The service answered with an error: its code, message and details are kept. */
  static answered(audience: string, error: ConnectError): CallError {
    const answer = new CallError(audience, error.rawMessage, error.code, error.cause);
    answer.details = error.details;
    return answer;
  }

  /** No answer came: the connection failed, or the time ran out. */
  static unanswered(audience: string, code: Code, cause: unknown): CallError {
    const why = code === Code.Unavailable ? "cannot be reached" : "did not answer in time";
    return new CallError(audience, `The service "${audience}" ${why}.`, code, cause);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // ConnectError recognises its kin by shape; here only the class itself counts.
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

const RETRYABLE = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Unavailable,
]);

/** True where the same call may work later. */
export const isRetryable = (error: CallError): boolean => RETRYABLE.has(error.code);

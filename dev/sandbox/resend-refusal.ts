// Resend's errors, by the names of its documentation. https://resend.com/docs/api-reference/errors
import type { ErrorResponse } from "resend";
import { type Answer, jsonAnswer } from "./answer.ts";

export class ResendRefusal extends Error {
  override readonly name = "ResendRefusal";
  readonly answer: Answer;

  constructor(
    statusCode: number,
    name: ErrorResponse["name"],
    message: string,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.answer = jsonAnswer(
      statusCode,
      { statusCode, name, message } satisfies ErrorResponse,
      headers,
    );
  }
}

/** Errors that a fault asks for. */
export function resendRefusal(status: number): Answer {
  if (status === 429) {
    const limits = {
      "ratelimit-limit": "5",
      "ratelimit-remaining": "0",
      "ratelimit-reset": "1",
      "retry-after": "1",
    };
    return new ResendRefusal(429, "rate_limit_exceeded", "Too many requests.", limits).answer;
  }
  const name = status >= 500 ? "internal_server_error" : "validation_error";
  return new ResendRefusal(status, name, "An error that a fault of the sandbox asked for.").answer;
}

export function checkResendKey(authorization: string | undefined): void {
  if (authorization === undefined) {
    throw new ResendRefusal(401, "missing_api_key", "Missing API key in the authorization header.");
  }
  if (!/^Bearer re_\w+$/.test(authorization))
    throw new ResendRefusal(403, "invalid_api_key", "API key is invalid.");
}

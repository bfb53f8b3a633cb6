// The request_id of a creation (AIP-155): from the Idempotency-Key header, or a new one.
import type { DescMethod, Message } from "@bufbuild/protobuf";
import { newId } from "../platform/id.ts";
import { Refusal } from "../platform/refusal.ts";

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
const HEADER = "idempotency-key";

/** Fills the request's request_id, where its contract has one. Refuses a header that says otherwise than the request. */
export function fillRequestId(method: DescMethod, request: Message, headers: Headers): void {
  if (method.input.field["requestId"] === undefined) return;
  const message = request as Message & { requestId: string };
  const key = headers.get(HEADER);
  if (message.requestId === "") message.requestId = key ?? newId();
  else if (key !== null && key !== message.requestId) {
    throw new Refusal(
      "invalid_argument",
      "the Idempotency-Key header differs from request_id; give one of them",
      { field: "request_id" },
    );
  }
}

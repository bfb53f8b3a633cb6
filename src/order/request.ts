// Repeated requests (AIP-155): the same ID with the same request is the same request, with another one a mistake.
import { toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { createHash } from "node:crypto";
import { Refusal } from "../platform/refusal.ts";
import type { RequestRow } from "./store.ts";

/** Equal for equal requests of one kind, the ID left out. SHA-256, base64url. */
export function requestHash<S extends DescMessage>(
  schema: S,
  request: MessageShape<S> & { requestId: string },
): string {
  const bytes = toBinary(schema, { ...request, requestId: "" });
  return createHash("sha256").update(schema.typeName).update(bytes).digest("base64url");
}

/** Refuses an ID that was used for another request. */
export function mustBeSame<S extends DescMessage>(
  known: RequestRow,
  schema: S,
  request: MessageShape<S> & { requestId: string },
): void {
  if (known.requestHash === requestHash(schema, request)) return;
  throw new Refusal(
    "invalid_argument",
    "this request_id was used for another request; choose a new one for each order and each attempt to pay",
    { field: "request_id", reason: "IDEMPOTENCY_KEY_REUSED" },
  );
}

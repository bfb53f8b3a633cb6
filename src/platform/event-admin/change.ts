// A change by an operator: done and noted in one transaction.
import type { JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { writeAudit } from "../events/audit.ts";
import type { Transaction } from "../events/schema.ts";
import { newId } from "../id.ts";
import { Refusal } from "../refusal.ts";
import { principalOf } from "../rpc/principal.ts";
import type { EventAdminParts } from "./parts.ts";

export interface Change {
  /** What it acts on: the request, without its reason. */
  readonly subject: JsonObject;
  readonly reason: string;
}

/** What is noted of a change, but for how many events it was. */
export function auditEntry(context: HandlerContext, { subject, reason }: Change) {
  const caller = principalOf(context);
  if (caller.kind !== "operator")
    throw new Refusal("permission_denied", "events are changed by operators");
  return {
    id: newId(),
    actor: `operator:${caller.id}`,
    action: context.method.name,
    subject,
    reason: givenReason(reason),
  };
}

/** Runs the change; `events` says of its result how many events it changed. What it throws leaves no note. */
export async function change<T>(
  { db }: EventAdminParts,
  context: HandlerContext,
  what: Change,
  work: (tx: Transaction) => Promise<{ readonly events: number; readonly result: T }>,
): Promise<T> {
  const entry = auditEntry(context, what);
  return await db.transaction(async (tx) => {
    const { events, result } = await work(tx);
    await writeAudit(tx, { ...entry, events });
    return result;
  });
}

function givenReason(reason: string): string {
  if (reason.trim() !== "") return reason;
  throw new Refusal("invalid_argument", "say why, in a few words: it is noted for the audit", {
    field: "reason",
  });
}

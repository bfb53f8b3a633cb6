// Adds to the timeline, and reads it.
import { and, asc, eq, gt } from "drizzle-orm";
import type { Database, Transaction } from "../database/open.ts";
import { newId } from "../id.ts";
import { currentTrace } from "../trace.ts";
import { timelineEntries } from "./schema.ts";

export type TimelineRow = typeof timelineEntries.$inferSelect;

export interface Happened {
  readonly orderId: string;
  readonly customerId: string;
  readonly type: string;
  readonly text: string;
  /** PUBLIC: the customer may read it. No personal data, no name of a person or machine in either. */
  readonly visibility: "PUBLIC" | "OPERATOR";
  readonly references?: Readonly<Record<string, string>>;
  /** The trace of the work in which it happened, where that is not the present one. */
  readonly traceparent?: string | undefined;
}

/** In the transaction of what happened; for what did not happen, in any. */
export async function recordTimeline(
  tx: Database | Transaction,
  ...entries: readonly Happened[]
): Promise<void> {
  if (entries.length === 0) return;
  const present = currentTrace()?.traceparent ?? "";
  await tx.insert(timelineEntries).values(
    entries.map(({ orderId, customerId, type, text, visibility, references, traceparent }) => ({
      id: newId(),
      orderId,
      customerId,
      type,
      text,
      visibility,
      references: references ?? {},
      traceparent: traceparent ?? present,
      createTime: new Date(),
    })),
  );
}

/** The oldest first. With a scope: the public entries, where the order is that customer's. */
export function listTimeline(
  db: Database,
  orderId: string,
  scope: string | undefined,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<TimelineRow[]> {
  const visible =
    scope === undefined
      ? undefined
      : and(eq(timelineEntries.customerId, scope), eq(timelineEntries.visibility, "PUBLIC"));
  return db
    .select()
    .from(timelineEntries)
    .where(
      and(
        eq(timelineEntries.orderId, orderId),
        visible,
        page.after === undefined ? undefined : gt(timelineEntries.id, page.after),
      ),
    )
    .orderBy(asc(timelineEntries.id))
    .limit(page.limit);
}

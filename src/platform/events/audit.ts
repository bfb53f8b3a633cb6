// What operators did to events, noted in the transaction that did it.
import { and, desc, eq, lt } from "drizzle-orm";
import { eventAudit, type Database, type Transaction } from "./schema.ts";
import { filter, type PageOf } from "./sql.ts";

export type AuditRow = typeof eventAudit.$inferSelect;

export async function writeAudit(
  tx: Transaction,
  entry: Omit<AuditRow, "createTime">,
): Promise<void> {
  await tx.insert(eventAudit).values(entry);
}

/** Tells of an entry, whose change took more than one transaction, how many events it was in the end. */
export async function noteEvents(db: Database, id: string, events: number): Promise<void> {
  await db.update(eventAudit).set({ events }).where(eq(eventAudit.id, id));
}

/** The newest first. */
export async function listAudit(
  db: Database,
  o: { readonly actor: string | undefined; readonly action: string | undefined },
  page: PageOf,
): Promise<AuditRow[]> {
  const wanted = and(
    filter(page.after, (id) => lt(eventAudit.id, id)),
    filter(o.actor, (actor) => eq(eventAudit.actor, actor)),
    filter(o.action, (action) => eq(eventAudit.action, action)),
  );
  return await db
    .select()
    .from(eventAudit)
    .where(wanted)
    .orderBy(desc(eventAudit.id))
    .limit(page.limit);
}

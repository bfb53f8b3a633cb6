// The Notification service's SQL.
import { and, asc, desc, eq, inArray, lt, sql } from "drizzle-orm";
import type { Database, Transaction } from "../platform/database/open.ts";
import { KEY_LIFE_MS } from "./delivery.ts";
import { notifications, orderContacts } from "./schema.ts";

export type NotificationRow = typeof notifications.$inferSelect;
export type NewNotification = typeof notifications.$inferInsert;
export type OrderContactRow = typeof orderContacts.$inferSelect;

const inMs = (ms: number) => sql`now() + make_interval(secs => ${ms / 1000})`;

export async function saveOrderContact(
  tx: Transaction,
  row: typeof orderContacts.$inferInsert,
): Promise<void> {
  await tx.insert(orderContacts).values(row).onConflictDoNothing();
}

export async function findOrderContact(
  tx: Transaction,
  orderId: string,
): Promise<OrderContactRow | undefined> {
  const [row] = await tx.select().from(orderContacts).where(eq(orderContacts.orderId, orderId));
  return row;
}

/** Stores messages to send; one that is there already, from the same source, is left as it is. */
export async function saveNotifications(
  tx: Transaction,
  rows: readonly NewNotification[],
): Promise<void> {
  if (rows.length > 0)
    await tx
      .insert(notifications)
      .values([...rows])
      .onConflictDoNothing();
}

/** Until the end of the transaction, nobody else stores a message from this source: the second of two calls waits here. */
export async function lockSource(tx: Transaction, source: string): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${source}, 0))`);
}

export async function findBySource(
  db: Database | Transaction,
  source: string,
): Promise<NotificationRow | undefined> {
  const [row] = await db.select().from(notifications).where(eq(notifications.source, source));
  return row;
}

/** A notification, if it is in the scope: the customer's own, or any where the scope is undefined. */
export async function findNotification(
  db: Database,
  id: string,
  scope: string | undefined,
): Promise<NotificationRow | undefined> {
  const [row] = await db
    .select()
    .from(notifications)
    .where(
      and(
        eq(notifications.id, id),
        scope === undefined ? undefined : eq(notifications.customerId, scope),
      ),
    );
  return row;
}

/** Notifications of the scope, the newest first, before the one with the ID `before`. */
export const listNotifications = (
  db: Database,
  scope: string | undefined,
  page: { readonly orderId: string; readonly before: string | undefined; readonly limit: number },
): Promise<NotificationRow[]> =>
  db
    .select()
    .from(notifications)
    .where(
      and(
        scope === undefined ? undefined : eq(notifications.customerId, scope),
        page.orderId === "" ? undefined : eq(notifications.orderId, page.orderId),
        page.before === undefined ? undefined : lt(notifications.id, page.before),
      ),
    )
    .orderBy(desc(notifications.id))
    .limit(page.limit);

/**
 * Takes messages that are due, and commits that they are being sent before anyone is asked to. One found SENDING was left by a
 * process that died: a mail is taken again, its key protects it. An SMS has none, and a mail's is forgotten after a day: such a
 * message becomes AMBIGUOUS here and is not sent.
 */
export async function claimDueNotifications(
  db: Database,
  lease: { readonly limit: number; readonly leaseMs: number },
): Promise<NotificationRow[]> {
  const due = db
    .select({ id: notifications.id })
    .from(notifications)
    .where(lt(notifications.dueTime, sql`now()`))
    .orderBy(asc(notifications.dueTime))
    .limit(lease.limit)
    .for("update", { skipLocked: true });
  const isLost = sql`case when ${notifications.channel} = 'SMS' then ${notifications.status} = 'SENDING'
    else ${notifications.attemptCount} > 0 and ${notifications.createTime} < ${inMs(-KEY_LIFE_MS)} end`;
  return await db
    .update(notifications)
    .set({
      status: sql`case when ${isLost} then 'AMBIGUOUS' else 'SENDING' end`,
      failureReason: sql`case when ${isLost} then 'nobody knows whether it was sent: its sender died' else '' end`,
      attemptCount: sql`${notifications.attemptCount} + case when ${isLost} then 0 else 1 end`,
      dueTime: sql`case when ${isLost} then null else ${inMs(lease.leaseMs)} end`,
      updateTime: sql`now()`,
    })
    .where(inArray(notifications.id, due))
    .returning();
}

export interface NotificationProgress {
  readonly status: string;
  readonly providerMessageId?: string;
  readonly failureReason?: string;
  /** When to send it (again), in milliseconds from now; null: not any more. */
  readonly dueInMs: number | null;
  readonly sendTime?: Date;
}

/** Writes what became of a message. Undefined when another worker has sent it meanwhile. */
export async function saveProgress(
  tx: Transaction,
  message: NotificationRow,
  progress: NotificationProgress,
): Promise<NotificationRow | undefined> {
  const [row] = await tx
    .update(notifications)
    .set({
      status: progress.status,
      providerMessageId: progress.providerMessageId ?? "",
      failureReason: progress.failureReason ?? "",
      dueTime: progress.dueInMs === null ? null : inMs(progress.dueInMs),
      updateTime: sql`now()`,
      ...(progress.sendTime && { sendTime: progress.sendTime }),
    })
    .where(
      and(
        eq(notifications.id, message.id),
        // A late answer settles what was taken for lost; what another worker settled stands.
        inArray(notifications.status, ["SENDING", "AMBIGUOUS"]),
      ),
    )
    .returning();
  return row;
}

// The Payment service's SQL: lists of payments.
import { and, desc, eq, exists, gte, inArray, lt, notInArray, sql } from "drizzle-orm";
import type { Database } from "../platform/database/open.ts";
import { disputes, payments } from "./schema.ts";
import { inMs, type PaymentRow } from "./store.ts";

/** What a payment must be to be listed; what is absent does not matter. Times in ISO 8601. */
export interface PaymentFilter {
  readonly statuses?: readonly string[];
  readonly stuckForSeconds?: number;
  /** With stuckForSeconds: the statuses in which nothing is stuck. */
  readonly ended?: readonly string[];
  readonly customerId?: string;
  readonly createTimeFrom?: string;
  readonly createTimeBefore?: string;
  /** With a dispute in one of these states. */
  readonly disputed?: readonly string[];
}

/** The newest first, from the one before `before`, an ID, on. */
export async function listPaymentRows(
  db: Database,
  filter: PaymentFilter,
  page: { readonly before: string | undefined; readonly limit: number },
): Promise<PaymentRow[]> {
  const { statuses, stuckForSeconds, ended, customerId, disputed } = filter;
  return await db
    .select()
    .from(payments)
    .where(
      and(
        page.before === undefined ? undefined : lt(payments.id, page.before),
        statuses && inArray(payments.status, [...statuses]),
        ended && notInArray(payments.status, [...ended]),
        stuckForSeconds === undefined
          ? undefined
          : lt(payments.updateTime, inMs(-1000 * stuckForSeconds)),
        customerId === undefined ? undefined : eq(payments.customerId, customerId),
        filter.createTimeFrom === undefined
          ? undefined
          : gte(payments.createTime, new Date(filter.createTimeFrom)),
        filter.createTimeBefore === undefined
          ? undefined
          : lt(payments.createTime, new Date(filter.createTimeBefore)),
        disputed && exists(disputesOf(db, disputed)),
      ),
    )
    .orderBy(desc(payments.id))
    .limit(page.limit);
}

const disputesOf = (db: Database, states: readonly string[]) =>
  db
    .select({ one: sql`1` })
    .from(disputes)
    .where(and(eq(disputes.paymentId, payments.id), inArray(disputes.status, [...states])));

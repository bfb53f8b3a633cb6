// Sees from the databases how far the orders have come, so that watching costs the services nothing.
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import type { StackFile } from "../dev/stack/stack-file.ts";

/** Mails that tell of a paid order: that it was taken, and that it was paid. */
const MAILS_PER_ORDER = 2;
const POLL_MS = 150;
/** More than any backlog of a benchmark takes; longer means that something is stuck. */
const QUIET_WITHIN_MS = 180_000;

export interface Progress {
  readonly orders: number;
  readonly paid: number;
  /** Orders of which all mails have been sent. */
  readonly told: number;
  /** Rows that still wait for a relay. */
  readonly unsent: number;
}

export interface Watch extends AsyncDisposable {
  /** Those of the orders that are PAID. */
  paidOf(orderIds: readonly string[]): Promise<string[]>;
  /**
   * Resolves when every order since then is PAID and told and nothing waits.
   * @throws Error when that takes too long
   */
  quiet(since: Date, onProgress?: (progress: Progress) => void): Promise<Progress>;
}

export function openWatch(stack: StackFile): Watch {
  const connect = (url: string) => postgres(url, { max: 1, onnotice: () => undefined });
  const sqls: Sqls = {
    order: connect(stack.postgres.order),
    payment: connect(stack.postgres.payment),
    notification: connect(stack.postgres.notification),
  };
  return {
    paidOf: async (orderIds) => {
      const rows = await sqls.order<{ id: string }[]>`
        select id from orders where id = any(${[...orderIds]}::uuid[]) and status = 'PAID'`;
      return rows.map((row) => row.id);
    },
    quiet: async (since, onProgress) => {
      const deadline = performance.now() + QUIET_WITHIN_MS;
      for (;;) {
        const now = await progressOf(sqls, firstIdAt(since));
        onProgress?.(now);
        const done = now.paid === now.orders && now.told === now.orders && now.unsent === 0;
        if (done && (await nothingDue(sqls)) && (await undeliveredWebhooks(stack)) === 0)
          return now;
        if (performance.now() > deadline) {
          throw new Error(
            `After ${QUIET_WITHIN_MS / 1000} s without load not every order is PAID and told: ${JSON.stringify(now)}`,
          );
        }
        await pause(POLL_MS);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(sqls).map((sql) => sql.end()));
    },
  };
}

interface Sqls {
  readonly order: postgres.Sql;
  readonly payment: postgres.Sql;
  readonly notification: postgres.Sql;
}

/** Reads no more than the rows of the phase: IDs are in the order of their making. */
async function progressOf({ order, payment, notification }: Sqls, from: string): Promise<Progress> {
  const [[orders], [payments], [mails]] = await Promise.all([
    order<{ all: number; paid: number; unsent: number }[]>`
      select count(*)::int as all, count(*) filter (where status = 'PAID')::int as paid,
             (select count(*) from outbox)::int as unsent from orders where id >= ${from}`,
    payment<{ unsent: number }[]>`select count(*)::int as unsent from outbox`,
    notification<{ sent: number; unsent: number }[]>`
      select count(*) filter (where status = 'SENT')::int as sent,
             (select count(*) from outbox)::int as unsent from notifications where id >= ${from}`,
  ]);
  return {
    orders: orders?.all ?? 0,
    paid: orders?.paid ?? 0,
    told: Math.floor((mails?.sent ?? 0) / MAILS_PER_ORDER),
    unsent: (orders?.unsent ?? 0) + (payments?.unsent ?? 0) + (mails?.unsent ?? 0),
  };
}

/** The least UUIDv7 of a moment. */
function firstIdAt(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** No worker has anything to do any more, not even late news from Stripe. */
async function nothingDue({ order, payment }: Sqls): Promise<boolean> {
  const [[orders], [payments]] = await Promise.all([
    order<{ due: boolean }[]>`
      select exists (select from orders where initiate_due_time is not null) as due`,
    payment<{ due: boolean }[]>`
      select exists (select from payment_attempts where due_time is not null)
          or exists (select from stripe_events where due_time is not null) as due`,
  ]);
  return orders?.due === false && payments?.due === false;
}

async function undeliveredWebhooks(stack: StackFile): Promise<number> {
  if (stack.sandbox === null) return 0;
  const answer = await fetch(`${stack.sandbox.url}/_/health`);
  const { undeliveredEvents } = (await answer.json()) as { undeliveredEvents: number };
  return undeliveredEvents;
}
